"""Put pictures that are answered into their server's index, and tell which were posted before."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import NamedTuple

import discord

from bot.answering.request import MessageOrigin, Request
from bot.i18n import N_
from bot.policy.audience import place_ids
from bot.policy.opt_out import is_left_alone
from bot.presentation.answer import Outcome
from bot.presentation.naming import Finding
from bot.store import GuildSettings, Store, StoreError
from bot.store.indexed_images import NewImage
from bot.store.tables import IndexedImage
from inference.knowledge.image_search import ImageSearch
from inference.knowledge.results import KnowledgeFailed
from inference.results import Classification

log = logging.getLogger(__name__)

SEEN_BEFORE = N_("Seen before: {link}, {when}")
ONE_SEEN_BEFORE = N_("Picture {number} seen before: {link}, {when}")


POSTED_IN = (discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.Thread)


class IndexedPlace(NamedTuple):
    """Where a picture is: its message, the channel whose readers may find it, and what a moderator listed."""

    guild_id: int
    channel_id: int
    place_id: int
    listed_id: int
    points_out_reposts: bool


def indexed_place(
    channel: discord.abc.MessageableChannel | discord.abc.GuildChannel | None, settings: GuildSettings
) -> IndexedPlace | None:
    """Return where pictures of a channel or thread are indexed; None if they are not.

    Those of private threads never are: who may read one, its channel does not tell.
    """
    if not isinstance(channel, POSTED_IN) or (isinstance(channel, discord.Thread) and channel.is_private()):
        return None
    ids = place_ids(channel)
    listed = settings.listed_for_index(*ids)
    if listed is None:
        return None
    place_id = channel.parent_id if isinstance(channel, discord.Thread) else channel.id
    return IndexedPlace(channel.guild.id, channel.id, place_id, listed, settings.points_out_reposts(*ids))


def new_image(
    place: IndexedPlace,
    *,
    message_id: int,
    position: int,
    user_id: int,
    kind: str | None,
    result: Classification,
    min_confidence: float,
    taught: int | None = None,
) -> NewImage | None:
    """Return what is kept of a picture, with its names where they are not in doubt.

    `taught` is the number of the server's own label. None where the model gives no fingerprints.
    """
    if result.fingerprint is None or kind is None:
        return None
    finding = Finding.of(result, min_confidence)
    best = finding.labels[0]
    coarse = finding.headline.name if finding.headline else best.coarse
    fine = best.name if finding.headline is None or finding.finer else None
    return NewImage(
        message_id=message_id,
        position=position,
        guild_id=place.guild_id,
        channel_id=place.channel_id,
        place_id=place.place_id,
        listed_id=place.listed_id,
        user_id=user_id,
        kind=kind,
        fingerprint=result.fingerprint,
        perceptual_hash=result.perceptual_hash,
        coarse=None if finding.doubtful else coarse,
        fine=None if finding.doubtful else fine,
        taught=taught,
    )


class ImageIndexing:
    """Keeps the index of each server as its moderators want it.

    That the index cannot be used, or the store, costs no answer: the log says so.
    """

    def __init__(self, store: Store, search: ImageSearch) -> None:
        self._store = store
        self._search = search
        store.images.on_change = search.forget

    def place_of(self, request: Request) -> IndexedPlace | None:
        """Return where the pictures of a request are to be indexed; None if they are not."""
        if request.guild is None or not isinstance(request.origin, MessageOrigin):
            return None
        channel = request.guild.get_channel_or_thread(request.origin.channel_id)
        return indexed_place(channel, request.in_force.guild)

    async def seen_before(self, request: Request, outcomes: Sequence[Outcome]) -> str:
        """Return a line for each picture that was posted in the same channel before; empty for none."""
        place = self.place_of(request)
        if place is None or not place.points_out_reposts:
            return ""
        lines = []
        for number, outcome in enumerate(outcomes, 1):
            try:
                first = await self._first_of(request, place, outcome)
            except (StoreError, KnowledgeFailed) as error:
                log.warning("Whether a picture was posted before cannot be told now. %s", error)
                return ""
            if first is not None:
                sentence = ONE_SEEN_BEFORE if len(outcomes) > 1 else SEEN_BEFORE
                posted = discord.utils.snowflake_time(first.message_id)
                lines.append(
                    request.language.gettext(sentence).format(
                        number=number, link=jump_url(first), when=discord.utils.format_dt(posted, "R")
                    )
                )
        return "\n".join(lines)

    async def add(self, request: Request, outcomes: Sequence[Outcome]) -> None:
        """Put the pictures of an answered request into the index; what a spoiler hides stays out."""
        place = self.place_of(request)
        if place is None or request.guild is None:
            return
        message_id = _pictured(request)
        images = [
            new_image(
                place,
                message_id=message_id,
                position=position,
                user_id=request.author_id,
                kind=outcome.result.fingerprint_kind,
                result=outcome.result,
                min_confidence=request.in_force.guild.min_confidence,
                taught=outcome.taught.label if outcome.taught else None,
            )
            for position, outcome in enumerate(outcomes)
            if isinstance(outcome.result, Classification) and not outcome.source.spoiler
        ]
        try:
            if request.way == "edit":  # what it showed before is gone
                await self._remove([message_id])
            await self.keep([image for image in images if image is not None])
        except (StoreError, KnowledgeFailed) as error:
            log.warning("The pictures of the message %d cannot be found again. %s", message_id, error)

    async def keep(self, images: Sequence[NewImage]) -> int:
        """Put pictures of one server into its index, unless this is no longer wanted; return how many.

        Raises a `StoreError`, and KnowledgeFailed.
        """
        wanted = [image for image in images if await self._is_wanted(image)]
        await self._store.images.add(wanted)
        for kind in {image.kind for image in wanted}:
            alike = [image for image in wanted if image.kind == kind]
            await self._search.add(alike[0].guild_id, kind, alike)
        return len(wanted)

    async def forget_messages(self, message_ids: Collection[int]) -> None:
        """Take the pictures of messages out that are deleted, or show them no more."""
        try:
            await self._remove(message_ids)
        except (StoreError, KnowledgeFailed) as error:
            log.warning("Pictures of %d messages could not be taken out. %s", len(message_ids), error)

    async def _remove(self, message_ids: Collection[int]) -> None:
        for guild_id in await self._store.images.remove_messages(message_ids):
            await self._search.remove(guild_id, message_ids)

    async def _is_wanted(self, image: NewImage) -> bool:
        """Ask as late as can be: a moderator, or whoever posted it, may have changed their mind meanwhile."""
        listed = (await self._store.guilds.get(image.guild_id)).index_channels
        return image.listed_id in listed and not is_left_alone(await self._store.members.get(image.user_id))

    async def _first_of(self, request: Request, place: IndexedPlace, outcome: Outcome) -> IndexedImage | None:
        """Return the first posting of the same picture in the channel; None if there was none."""
        result = outcome.result
        if not isinstance(result, Classification) or result.fingerprint is None or outcome.source.spoiler:
            return None
        kind = result.fingerprint_kind
        if kind is None:
            return None
        same = await self._search.seen_before(
            place.guild_id, kind, result.fingerprint, result.perceptual_hash, [place.place_id]
        )
        own = request.source_ids
        rows = await self._store.images.these([each for each in same if each[0] not in own])
        return min(rows.values(), key=lambda row: row.message_id, default=None)


def jump_url(image: IndexedImage) -> str:
    """Return the link to the message with a picture."""
    return f"https://discord.com/channels/{image.guild_id}/{image.channel_id}/{image.message_id}"


def _pictured(request: Request) -> int:
    """Return the message that has the pictures: the one that was asked about, or the question itself."""
    return min(request.source_ids)
