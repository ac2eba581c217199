"""The discord.py client: its intents, its cogs, its commands, and the work it has in hand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import discord
from discord.ext import commands

from bot import intents as gateway_intents
from bot.catchup import CatchUp
from bot.cogs.answers import Answers
from bot.cogs.classify import Classify
from bot.cogs.edits import Edits
from bot.cogs.erasing import Erasing
from bot.cogs.offers import Offers
from bot.cogs.preferences import Preferences
from bot.cogs.settings import Settings as ServerSettings
from bot.cogs.watch import Watch
from bot.command_sync import sync
from bot.download import Fetcher
from bot.i18n import CommandTranslator
from bot.ledger import Ledger
from bot.models import Models
from bot.quota import Quota
from bot.server import Server, use
from bot.store import Store
from config.settings import Settings

if TYPE_CHECKING:
    from inference.serving.client import Classifier

__all__ = ["Whatsit"]

log = logging.getLogger(__name__)

CANCEL_TIMEOUT = 2.0
"""Seconds that work which was cancelled at the end of `finish` may take to let go."""


class Whatsit(commands.Bot):
    """Whatsit on Discord. Who makes `classifier`, `fetcher` and `store` closes them; the bot only uses them.

    `intents`: None (the default) asks for what the application's flags allow, read over HTTP before the
    gateway is opened; intents that are given are used as they are. `server`: a Discord-compatible server
    instead of Discord. `another_model` makes a classifier, not started yet, for a model that a server chose;
    without it all have the owner's.

    One gateway connection, no shards: Discord asks for shards from 2,500 servers on, and a bot on somebody's
    own machine stays below.

    A cog holds `bot.in_hand()` from the moment it accepts work until its answer is sent, and accepts none
    while `bot.stopping`:

        if self.bot.stopping:
            return
        with self.bot.in_hand():
            ...
    """

    def __init__(
        self,
        settings: Settings,
        classifier: Classifier,
        fetcher: Fetcher,
        store: Store,
        *,
        intents: discord.Intents | None = None,
        server: Server | None = None,
        another_model: Callable[[Settings], Classifier] | None = None,
    ) -> None:
        self._declared = gateway_intents.wanted() if intents is None else intents
        self._ask_flags = intents is None and server is None
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=self._declared,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,  # nothing of what people write is kept; deletions come as raw events
            max_ratelimit_timeout=settings.watch.late_after,  # `RateLimited` at once instead of a late answer
        )
        self.settings = settings
        self.classifier = classifier
        self.fetcher = fetcher
        self.store = store
        self.models = Models(settings, classifier, another_model)
        self.quota = Quota(settings.limits)
        self.stopping = False
        self.ledger = Ledger(self)
        self._server = server
        self._in_hand: list[asyncio.Task[Any]] = []

    async def login(self, token: str) -> None:
        """As discord.py's, on the server this bot is for."""
        use(self._server)
        if self._server is not None:
            self.http.connector = self._server.connector()
        await super().login(token)

    async def setup_hook(self) -> None:
        """What must be ready before the first event: intents, the model, the cogs and the commands.

        Raises `ModelUnavailable` if no model can be loaded.
        """
        if self._ask_flags and not gateway_intents.message_content_allowed(self.application_flags):
            self._give_up_message_content()
        info = await self.classifier.start(_reporter())
        log.info("%s is ready on %s.%s", info.name, info.engine, f" {info.note}" if info.note else "")
        await self.tree.set_translator(CommandTranslator())
        watch, classify = Watch(self), Classify(self)
        offers = Offers(self, watch)
        for cog in (watch, Edits(self, watch), offers, classify, CatchUp(self, watch, offers, classify)):
            await self.add_cog(cog)
        await self.add_cog(Answers(self))
        await self.add_cog(ServerSettings(self))
        await self.add_cog(Preferences(self))
        await self.add_cog(Erasing(self))
        await sync(self.tree, self.store.notes)

    async def connect(self, *, reconnect: bool = True) -> None:
        """As discord.py's; if message content was refused after all (close code 4014), again without it."""
        try:
            await super().connect(reconnect=reconnect)
        except discord.PrivilegedIntentsRequired:
            if not self._declared.message_content:
                raise
            self._give_up_message_content()
            await super().connect(reconnect=reconnect)

    async def on_ready(self) -> None:
        """Says where it is; after a new session, again."""
        log.info("Online as %s, on %d server(s). Ctrl-C stops.", self.user, len(self.guilds))

    async def on_message(self, message: discord.Message, /) -> None:
        """No prefix commands: a mention is a question about a picture, which is `Watch`'s."""

    @contextmanager
    def in_hand(self) -> Iterator[None]:
        """Marks the current task as work that is finished before the bot leaves."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("in_hand() is for work on the event loop")
        self._in_hand.append(task)
        try:
            yield
        finally:
            self._in_hand.remove(task)

    async def close(self) -> None:
        """As discord.py's; the models that servers chose end too."""
        await super().close()
        await self.models.close()

    async def finish(self, within: float) -> int:
        """Take no new work, and give the work in hand `within` seconds; what is left then is cancelled.

        The gateway stays open meanwhile. Returns how many pieces of work were cancelled.
        """
        self.stopping = True
        tasks = set(self._in_hand)
        if not tasks:
            return 0
        log.info("Finishing the work in hand (%d) before leaving.", len(tasks))
        _, late = await asyncio.wait(tasks, timeout=within)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=CANCEL_TIMEOUT)
        return len(late)

    def _give_up_message_content(self) -> None:
        # discord.py keeps the very object it was given and reads it again at each IDENTIFY.
        self._declared.message_content = False
        log.warning(gateway_intents.MESSAGE_CONTENT_OFF)


def _reporter() -> Callable[[str, float | None], None]:
    """Progress of the model for the log: a line a stage, not a line a percent."""
    said: set[str] = set()

    def report(stage: str, _fraction: float | None) -> None:
        if stage not in said:
            said.add(stage)
            log.info("Model: %s", stage)

    return report
