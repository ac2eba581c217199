"""The demo's simulated Discord: a server, a channel, somebody who asks, and the page that shows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import discord
import simcord
from simcord import ChannelHandle, Env, MemberActor, Preview, SetupError
from simcord.backend.cdn import CDN_BASE, CdnStore

from bot.composition import compose
from bot.connection import intents
from bot.download.downloader import Gone
from bot.store import Store, defaults
from config.settings import Data, Settings, StoreSettings
from inference.serving.client import Classifier

SETTLE = 25.0
"""Seconds a simulated action may take; a picture takes a fraction of one."""
AGAIN = 0.05
"""Seconds until the page is tried again, when somebody is just doing something on it."""


@dataclass(frozen=True)
class Photograph:
    """A picture that arrives with a package, and the names that are right for it."""

    package: str
    file: str
    labels: frozenset[str]

    @property
    def path(self) -> Path:
        """Where it is. The package is found, not imported. Raises `ModuleNotFoundError`."""
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(self.package)
        return Path(spec.origin).parent / self.file


PHOTOGRAPHS = (
    Photograph("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", frozenset({"military uniform"})),
    Photograph("skimage", "data/chelsea.png", frozenset({"Egyptian cat", "tabby", "tiger cat"})),
    Photograph("skimage", "data/coffee.png", frozenset({"espresso", "cup", "coffee mug"})),
)


@dataclass(frozen=True)
class Exchange:
    """What somebody did, what the bot sent and reacted with, and the names one of which should be in it."""

    what: str
    answers: tuple[discord.Message, ...]
    expected: frozenset[str] = frozenset()
    reactions: tuple[str, ...] = ()


class _StoreFetcher:
    """Reads attachments from the simulated Discord, where they have addresses that nothing serves."""

    def __init__(self) -> None:
        self.env: Env | None = None

    async def fetch(
        self,
        url: str,
        *,
        size: int | None = None,  # noqa: ARG002  # the protocol's
        dimensions: tuple[int, int] | None = None,  # noqa: ARG002
        document: bool = False,  # noqa: ARG002
    ) -> bytes:
        data = self.env.backend.cdn.get(url) if self.env else None
        if data is None:
            raise Gone(url)
        return data

    async def close(self) -> None:
        """Do nothing, as nothing is open."""


class _DiscordFiles(CdnStore):
    """The files of the simulated Discord, at addresses of Discord's own host.

    An answer shows the picture it is about only from the hosts in `download.hosts`. The page shows in an
    embed only what is among its `assets`, and never a file at the simulated Discord's own host.
    """

    def __init__(self, assets: dict[str, tuple[str, bytes]]) -> None:
        super().__init__()
        self._assets = assets

    def store_attachment(
        self, attachment_id: int, channel_id: int, filename: str, data: bytes, description: str | None
    ) -> dict[str, Any]:
        stored = super().store_attachment(attachment_id, channel_id, filename, data, description)
        url = stored["url"].replace(CDN_BASE, "https://cdn.discordapp.com")
        self._blobs[url] = data
        self._assets[url] = (filename, data)
        return {**stored, "url": url, "proxy_url": url}


@asynccontextmanager
async def staged(settings: Settings, classifier: Classifier) -> AsyncIterator[Stage]:
    """Give the bot on a server with one channel, and the page that shows it, until the block is left."""
    fetcher = _StoreFetcher()
    async with (
        _store(settings) as store,
        simcord.run(
            compose(settings, classifier, fetcher, store, intents=intents.wanted()), settle_timeout=SETTLE
        ) as env,
    ):
        fetcher.env = env
        guild = env.create_guild("The demo")
        channel = guild.create_text_channel("pictures")
        alice = guild.add_member(env.create_user("alice"))
        if guild.me is not None:
            await guild.me.edit(nick="Whatsit")
        async with env.preview(channel, viewers=[alice], layout="channel") as preview:
            env.backend.cdn = _DiscordFiles(preview._explicit_assets)  # noqa: SLF001 - there is no other way in
            yield Stage(env, channel, alice, preview)


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    """Open a store that is gone when the block is left: the demo's server has no past."""
    with TemporaryDirectory(prefix="whatsit-demo-") as folder:
        store = await Store.open(
            StoreSettings(),
            Data(dir=Path(folder)),
            guild_defaults=defaults(settings.watch, settings.answers),
        )
        try:
            yield store
        finally:
            await store.close()


@dataclass(frozen=True)
class Stage:
    """What can be done in the simulated Discord."""

    env: Env
    channel: ChannelHandle
    alice: MemberActor
    preview: Preview

    @property
    def url(self) -> str:
        """The page. Whoever has the address can act on it; it is served on this machine only."""
        return self.preview.url

    async def ended(self) -> None:
        """Wait until somebody ends the session on the page."""
        await self.preview.wait_closed()

    async def three_ways(self) -> AsyncIterator[Exchange]:
        """Ask in the three ways there are, each on a photograph of its own."""
        posted, asked, sent = PHOTOGRAPHS
        direct = self.alice.user.dm_channel

        async def post(name: str, data: bytes) -> None:
            await self.alice.send(self.channel, attachments=[(name, data)])

        async def classify(name: str, data: bytes) -> None:
            await self.alice.slash(self.channel, "classify", picture=(name, data))

        async def send(name: str, data: bytes) -> None:
            await self.alice.send_dm(
                attachments=self.env.backend.store_attachments(direct.id, [(name, data)])
            )

        for photograph, place, act, what in (
            (posted, self.channel, post, "alice posts {} in #pictures"),
            (asked, self.channel, classify, "alice runs /classify on {}"),
            (sent, direct, send, "alice sends {} to the bot, by direct message"),
        ):
            data = await asyncio.to_thread(photograph.path.read_bytes)
            yield await self._exchange(place, what, photograph, act, data)
        await self._publish()

    async def post_file(self, path: Path) -> Exchange:
        """Post a file in the channel. Raises `OSError` if it cannot be read."""
        data = await asyncio.to_thread(path.read_bytes)
        before = self._seen(self.channel)
        # The public `send` and an action on the page exclude each other; this goes beside either.
        uploads = self.env.backend.store_attachments(self.channel.id, [(path.name, data)])
        posted = self.env.backend.create_message(self.channel.id, self.alice.id, attachments=uploads)
        await self._publish()
        stands = self.env.backend.get_message(self.channel.id, posted.id)
        return Exchange(
            f"alice posts {path.name} in #pictures",
            self._since(self.channel, before),
            reactions=tuple(reaction.emoji for reaction in stands.reactions),
        )

    async def _exchange(
        self,
        place: ChannelHandle,
        what: str,
        photograph: Photograph,
        act: Callable[[str, bytes], Awaitable[None]],
        data: bytes,
    ) -> Exchange:
        before = self._seen(place)
        await act(photograph.path.name, data)
        return Exchange(what.format(photograph.path.name), self._since(place, before), photograph.labels)

    async def _publish(self) -> None:
        """Wait until the bot has done all it had to do, and show it on the page."""
        while True:
            try:
                return await self.preview.refresh()
            except SetupError as error:
                if "overlaps" not in str(error):
                    raise
            await asyncio.sleep(AGAIN)

    def _seen(self, channel: ChannelHandle) -> set[int]:
        return {message.id for message in channel.history()}

    def _since(self, channel: ChannelHandle, before: set[int]) -> tuple[discord.Message, ...]:
        """Return what the bot has sent to `channel` that was not there `before`."""
        me = self.env.bot.user
        return tuple(
            message for message in channel.history() if message.id not in before and message.author == me
        )
