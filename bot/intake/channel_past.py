"""Read a channel's past into the index, politely: page by page, picture by picture, and answers go first."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence

import discord

from bot.answering.image_fetching import ImageFetching
from bot.answering.image_indexing import ImageIndexing, IndexedPlace, indexed_place, new_image
from bot.answering.models import Models
from bot.delivery.channel_permissions import FAILURES
from bot.download.downloader import DownloadError
from bot.erasable_memory import ErasableMemory
from bot.image_source import ImageSource
from bot.policy.audience import Audience
from bot.policy.opt_out import is_left_alone
from bot.store import GuildSettings, Store
from bot.store.indexed_images import NewImage
from config.settings import Limits
from inference.results import Busy, InferenceError

log = logging.getLogger(__name__)

MESSAGES = 100
"""Messages that Discord tells at once."""
PAGE_PAUSE = 1.0
"""Seconds between two pages: the limits of Discord's API are for answers, too."""
IMAGE_PAUSE = 0.5
"""Seconds between two pictures."""
YIELD_SECONDS = 10.0
"""So long a picture waits at most while others wait for answers; else a busy bot would never get on."""
LOOK_AGAIN = 0.5

PastChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


class ChannelPast(ErasableMemory):
    """Finds the pictures of old messages and puts them into the index.

    Who has had everything about them erased is left out until the bot ends: what they once posted is still
    on Discord, and would come back with the next page.
    """

    def __init__(
        self,
        *,
        store: Store,
        models: Models,
        fetching: ImageFetching,
        indexing: ImageIndexing,
        audience: Audience,
        images_of: Callable[[discord.Message], Sequence[ImageSource]],
        limits: Limits,
    ) -> None:
        """`images_of` finds the images of a message."""
        self._store = store
        self._models = models
        self._fetching = fetching
        self._indexing = indexing
        self._audience = audience
        self._images_of = images_of
        self._limits = limits
        self._key = secrets.token_bytes(16)
        self._erased: set[bytes] = set()

    def forget_user(self, user_id: int) -> None:
        """Leave out the pictures of a person from now on, whom a hash under a key stands for."""
        self._erased.add(self._hashed(user_id))

    async def page(self, channel: PastChannel, before_id: int) -> list[discord.Message]:
        """Return the newest messages before one; empty where there are none.

        Raises what discord.py raises.
        """
        before = discord.Object(before_id)
        return [message async for message in channel.history(limit=MESSAGES, before=before)]

    async def take(self, message: discord.Message, channel: PastChannel) -> int:
        """Put the pictures of a message into the index, and return how many; none if that is not wanted.

        Raises a `StoreError`, and KnowledgeFailed.
        """
        settings = await self._store.guilds.get(channel.guild.id)
        place = indexed_place(channel, settings)
        images = self._images_of(message)[: self._limits.images_per_answer]
        if place is None or not images or not self._audience.listens_to(message):
            return 0
        author_id = message.author.id
        if self._is_erased(author_id) or is_left_alone(await self._store.members.get(author_id)):
            return 0
        kind = self._models.info_of(settings.model).fingerprints
        rows = await self._store.images.of_message(message.id)
        known = {row.position for row in rows if row.kind == kind}
        found = [
            await self._looked_at(message, position, image, place, settings)
            for position, image in enumerate(images)
            if position not in known and not image.spoiler
        ]
        fresh = [image for image in found if image is not None]
        if self._is_erased(author_id):  # meanwhile; whether they are left alone, `keep` asks again
            return 0
        return await self._indexing.keep(fresh)

    def _is_erased(self, user_id: int) -> bool:
        return self._hashed(user_id) in self._erased

    def _hashed(self, user_id: int) -> bytes:
        return hashlib.blake2b(user_id.to_bytes(8, "big"), key=self._key, digest_size=16).digest()

    async def _looked_at(
        self,
        message: discord.Message,
        position: int,
        image: ImageSource,
        place: IndexedPlace,
        settings: GuildSettings,
    ) -> NewImage | None:
        """Return what is kept of a picture; None for one that cannot be looked at."""
        while True:
            await self._give_way()
            try:
                async with self._fetching.admit(
                    image, group=place.guild_id, model=settings.model
                ) as admission:
                    data = await self._fetching.fetch(image)
                    result = await admission.classify(data, on_cost=lambda _: None, features="indexed")
                break
            except Busy:  # somebody came in between
                await asyncio.sleep(YIELD_SECONDS)
            except (InferenceError, DownloadError) as error:
                log.info("A picture of the message %d is left out of the index. %s", message.id, error)
                return None
        return new_image(
            place,
            message_id=message.id,
            position=position,
            user_id=message.author.id,
            kind=result.fingerprint_kind,
            result=result,
            min_confidence=settings.min_confidence,
        )

    async def _give_way(self) -> None:
        """Wait while answers are being worked on."""
        await asyncio.sleep(IMAGE_PAUSE)
        waited = 0.0
        while waited < YIELD_SECONDS and any(each.load.images for each in self._models.running()):
            await asyncio.sleep(LOOK_AGAIN)
            waited += LOOK_AGAIN


def is_lost(failure: BaseException) -> bool:
    """Return whether a channel cannot be read any more, rather than just now."""
    return isinstance(failure, discord.NotFound | discord.Forbidden) and isinstance(failure, FAILURES)
