"""The discord.py client: its intents, its cogs, its commands, and the work it has in hand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

import discord
from discord.backoff import ExponentialBackoff
from discord.ext import commands

from bot.answering.models import Models
from bot.connection import intents as gateway_intents
from bot.connection.command_sync import sync
from bot.connection.event_guard import guard_parsers
from bot.connection.http_watch import HttpWatch
from bot.connection.quick_ready import QuickReady
from bot.connection.server import Server, log_in, rest_proxy_of
from bot.connection.shards import Shards, take_turns
from bot.erasable_memory import ErasableMemory
from bot.i18n.command_translator import CommandTranslator
from bot.logs.shard_mark import mark_lines
from bot.store import Store, StoreError
from bot.store.upkeep_timer import UpkeepTimer
from bot.work_in_hand import WorkInHand
from config.settings import Settings

if TYPE_CHECKING:
    from inference.serving.client import Classifier

log = logging.getLogger(__name__)

NOTE_AFTER = 5.0
"""Seconds from a refused request until it is noted, with those that come meanwhile."""
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)
"""What discord.py raises when READY, or a frame that is no event, is not as Discord sends it."""


class Whatsit(commands.Bot, ErasableMemory):
    """Whatsit on Discord, as `bot.composition` puts it together.

    One gateway connection. Discord asks for shards from 2,500 servers on; then each is a process of its own
    (`whatsit run --shards auto`), and this is one of them.
    """

    def __init__(
        self,
        settings: Settings,
        classifier: Classifier,
        store: Store,
        models: Models,
        *,
        intents: discord.Intents | None = None,
        server: Server | None = None,
        shards: Shards | None = None,
    ) -> None:
        """`intents`: None asks for those that the application's flags allow. `server`: None is Discord.

        `shards` brings it to a shard; None: it has all servers.
        """
        self.http_watch = HttpWatch()
        self._declared = gateway_intents.wanted() if intents is None else intents
        self._ask_flags = intents is None and server is None
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=self._declared,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,  # nothing of what people write is kept; deletions come as raw events
            http_trace=self.http_watch.trace(),
            max_ratelimit_timeout=settings.watch.late_after,  # `RateLimited` at once instead of a late answer
        )
        self.shards = shards
        self._syncing: asyncio.Task[bool] | None = None
        if shards is not None:
            take_turns(shards)
            QuickReady(self._connection)
        self.event_counts = guard_parsers(self._connection.parsers)
        self.http_watch.waits.watch(self.http)
        self.connections = 0
        """How often a session of the gateway was begun or resumed."""
        self.store = store
        self.models = models
        self.work_in_hand = WorkInHand()
        self.cogs_to_add: list[commands.Cog] = []
        """Added when the bot has logged in."""
        self.close_too: list[Callable[[], Awaitable[None]]] = []
        """Called when the connection is closed."""
        self._classifier = classifier
        self._server = server
        self._rest_proxy = rest_proxy_of(settings.discord)
        self._refusal_note = UpkeepTimer(self._note_refusals, "client: note refusals")
        self.http_watch.on_refusal = partial(self._refusal_note.start, NOTE_AFTER)

    @property
    def has_interactions(self) -> bool:
        """Whether commands and buttons work: a Discord-compatible server does not bring their answers."""
        return self._server is None

    async def login(self, token: str) -> None:
        """Log in as discord.py does, on the server this bot is for."""
        await log_in(self, self._server, partial(super().login, token), self._rest_proxy)

    async def setup_hook(self) -> None:
        """Make ready what the first event needs: intents, the model, the cogs and the commands.

        Raises `ModelUnavailable` if no model can be loaded.
        """
        if self._ask_flags and not gateway_intents.message_content_allowed(self.application_flags):
            self._give_up_message_content()
        info = await self._classifier.start(_reporter())
        log.info("%s is ready on %s.%s", info.name, info.engine, f" {info.note}" if info.note else "")
        log.info("%s", info.sandbox)
        await self.tree.set_translator(CommandTranslator())
        for cog in self.cogs_to_add:
            await self.add_cog(cog)
        if self.has_interactions:
            if self.shards is None:
                await sync(self.tree, self.store.notes)
        else:
            log.info("This server is not Discord: there are no commands on it, and no buttons under answers.")

    async def connect(self, *, reconnect: bool = True) -> None:
        """Connect; if message content was refused after all (close code 4014), do so again without it.

        Begin a new session where discord.py cannot go on with what the gateway sent: an odd READY, say. With
        shards, wait for one before; raises `ShardCountDiffers` or a `StoreError` there.
        """
        if self.shards is not None:
            await self._take_shard(self.shards)
        backoff = ExponentialBackoff()
        while not self.is_closed():
            try:
                await super().connect(reconnect=reconnect)
            except discord.PrivilegedIntentsRequired:
                if not self._declared.message_content:
                    raise
                self._give_up_message_content()
            except UNREADABLE as error:
                seconds = backoff.delay()
                log.warning(
                    "The gateway sent what discord.py cannot read (%s); trying a new session in %.0f s.",
                    type(error).__name__,
                    seconds,
                )
                self.dispatch("disconnect")
                if self.ws is not None:
                    await self.ws.close()
                await asyncio.sleep(seconds)
            else:
                return

    async def _take_shard(self, shards: Shards) -> None:
        """Wait for a shard and become it; the first one's process is also who sends the commands."""
        mark_lines(None)
        shard = await shards.take(self.http, self.application_id or 0)
        mark_lines(shard.number)
        self.shard_id, self.shard_count = shard
        self._connection.shard_count = shard.total
        await self.store.take_shard(shard)
        if shard.number == 0 and self.has_interactions:
            self._syncing = asyncio.create_task(sync(self.tree, self.store.notes), name="client: commands")
        await shards.wait_for_turn()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait as discord.py does; a shard has waited for its turn before it connected."""
        if self.shards is None:
            await super().before_identify_hook(shard_id, initial=initial)
        else:
            await self.shards.identifying()

    @property
    def is_spare(self) -> bool:
        """Whether it waits for a shard, and has nothing to do until then."""
        return self.shards is not None and self.shards.shard is None

    @property
    def is_connected(self) -> bool:
        """Whether it has all of a session, and the gateway's connection stands."""
        return self.is_ready() and self.ws is not None and self.ws.open

    async def on_connect(self) -> None:
        """Count a new session."""
        self.connections += 1

    async def on_resumed(self) -> None:
        """Count a session that goes on."""
        self.connections += 1

    async def on_ready(self) -> None:
        """Log who the bot is; after a new session, again."""
        log.info("Online as %s, on %d server(s). Ctrl-C stops.", self.user, len(self.guilds))

    async def on_message(self, message: discord.Message, /) -> None:
        """Ignore prefix commands: a mention is a question about a picture, which `MessagesCog` hears."""

    def forget_user(self, user_id: int) -> None:
        """Drop what discord.py holds of a person: the channel of their direct messages, with their name."""
        channel = self._connection._get_private_channel_by_user(user_id)  # noqa: SLF001 - nothing public drops it
        if channel is not None:
            self._connection._remove_private_channel(channel)  # noqa: SLF001

    def forget_everyone(self) -> None:
        """Drop the channels of all direct messages; discord.py makes them anew."""
        for channel in self.private_channels:
            self._connection._remove_private_channel(channel)  # noqa: SLF001

    async def close(self) -> None:
        """Close the connection, and end the models that servers chose and whatever else works for the bot."""
        await super().close()
        if self._syncing is not None:
            self._syncing.cancel()
            await asyncio.wait([self._syncing])
        await self._refusal_note.close()
        await self.models.close()
        for close in self.close_too:
            await close()

    async def _note_refusals(self) -> None:
        """Note how often Discord refused the bot of late, for `whatsit doctor`."""
        try:
            await self.store.notes.set_refusals(self.http_watch.brake.counts(), discord.utils.utcnow())
        except StoreError as error:
            log.warning("How often Discord refused the bot could not be noted. %s", error)

    def _give_up_message_content(self) -> None:
        # discord.py keeps the very object it was given and reads it again at each IDENTIFY.
        self._declared.message_content = False
        log.warning(gateway_intents.MESSAGE_CONTENT_OFF)


def _reporter() -> Callable[[str, float | None], None]:
    """Return what logs the progress of loading the model: a line a stage, not a line a percent."""
    said: set[str] = set()

    def report(stage: str, _fraction: float | None) -> None:
        if stage not in said:
            said.add(stage)
            log.info("Model: %s", stage)

    return report
