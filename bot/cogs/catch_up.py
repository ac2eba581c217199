"""New sessions: what a crash, a restart or a lost session left unanswered is answered then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import ParamSpec

import discord
from discord.ext import commands

from bot.answering.answerer import Answerer
from bot.answering.ledger import Ledger
from bot.answering.retraction import Retraction
from bot.cogs.edits import EditsCog
from bot.cogs.offers import OffersCog
from bot.connection.discord_clock import DiscordClock
from bot.delivery.channel_permissions import FAILURES, GONE, permissions_in
from bot.delivery.outbox import merged_sources
from bot.delivery.standing_answers import StandingAnswers
from bot.image_source import ImageSource
from bot.intake.interaction_requests import ORIGINAL, end_response, response_of, revived_request
from bot.intake.message_intake import MessageIntake
from bot.intake.message_requests import MessageRequests
from bot.intake.missed_messages import MESSAGES, MissedPlace, missed_places
from bot.intake.read_positions import ReadPositions
from bot.presentation.errors import UNEXPECTED
from bot.store import OpenInteraction, OpenMessage, Store, StoreError
from bot.store.upkeep_timer import UpkeepTimer
from bot.work_in_hand import WorkInHand

P = ParamSpec("P")

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Messages and interactions that are caught up with at once: what people post now shares the rate limits."""
STORE_AGAIN = 60.0
"""Seconds until what the store could not tell is looked for again."""


class CatchUpCog(commands.Cog):
    """Makes a pass whenever there is a new session, also the first, and when a server comes later."""

    def __init__(
        self,
        *,
        client: discord.Client,
        seconds: float,
        clock: DiscordClock,
        store: Store,
        ledger: Ledger,
        positions: ReadPositions,
        requests: MessageRequests,
        intake: MessageIntake,
        offers: OffersCog,
        edits: EditsCog,
        answerer: Answerer,
        standing: StandingAnswers,
        retraction: Retraction,
        work: WorkInHand,
    ) -> None:
        """`seconds`: how far back to look; 0 for not at all."""
        self._client = client
        self._seconds = seconds
        self._clock = clock
        self._store = store
        self._ledger = ledger
        self._positions = positions
        self._requests = requests
        self._intake = intake
        self._offers = offers
        self._edits = edits
        self._answerer = answerer
        self._standing = standing
        self._retraction = retraction
        self._work = work
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._session = 0
        self._is_ready = False
        self._to_do: set[int | None] = set()
        self._passing: asyncio.Task[None] | None = None
        self._store_again = UpkeepTimer(self._look_again, "catch up: after the store failed")

    @property
    def is_behind(self) -> bool:
        """Whether something missed may still be unanswered."""
        return self._positions.away or not self._is_ready or bool(self._to_do) or self._passing is not None

    @commands.Cog.listener()
    async def on_disconnect(self) -> None:
        """Note that from here on something may be missed."""
        self._positions.leave()

    @commands.Cog.listener()
    async def on_connect(self) -> None:
        """Note a new session: Discord tells nothing of what happened before it."""
        self._session += 1
        self._is_ready = False
        self._to_do.clear()
        self._positions.begin()

    @commands.Cog.listener()
    async def on_resumed(self) -> None:
        """Note that Discord has told again what happened meanwhile."""
        self._positions.resume()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Look for what was missed, in the servers that the new session knows by now."""
        self._is_ready = True
        self._look_in({None, *(guild.id for guild in self._client.guilds if not guild.unavailable)})

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Look for what was missed in a server that comes late, or back after an outage."""
        self._positions.fall_behind(guild.id)
        if self._is_ready:
            self._look_in({guild.id})

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Do the same: not every server says of a late one that it had been unavailable."""
        await self.on_guild_available(guild)

    @commands.Cog.listener()
    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """Note that an outage hides a server, and what happens in it."""
        self._positions.fall_behind(guild.id)

    async def cog_unload(self) -> None:
        """Stop; what is not caught up with by now is, after the next start."""
        await self._store_again.close()
        if self._passing is not None:
            self._passing.cancel()
            await asyncio.wait([self._passing])

    def _look_in(self, where: set[int | None]) -> None:
        """Catch up with these servers, and (None) with what is in none; one pass at a time."""
        self._to_do |= where
        if self._passing is None:
            self._passing = asyncio.create_task(self._catch_up(), name="catch up")

    async def _look_again(self) -> None:
        if self._is_ready:
            self._look_in(set())

    async def _catch_up(self) -> None:
        try:
            while self._to_do and not self._work.stopping:
                session, where = self._session, frozenset(self._to_do)
                self._to_do.clear()
                try:
                    await self._pass_through(where)
                except StoreError as error:
                    log.warning(
                        "What was missed could not be looked up in the store; tried again in %g s. %s",
                        STORE_AGAIN,
                        error,
                    )
                    if session == self._session:  # else the new one looks everywhere anyway
                        self._to_do |= where
                    self._store_again.start(STORE_AGAIN)
                    return
                if session == self._session and not self._work.stopping:
                    self._positions.catch_up([guild_id for guild_id in where if guild_id is not None])
        except Exception:
            log.exception("Catching up with what was missed failed unexpectedly; please report this")
        finally:
            self._passing = None

    async def _pass_through(self, where: Collection[int | None]) -> None:
        if not self._seconds:
            return
        here = discord.utils.utcnow()  # rows go by this clock, messages by Discord's
        since = min(here, self._clock.there(here)) - timedelta(seconds=self._seconds)
        rows = await self._store.work.interactions() if None in where else ()
        interactions = [row for row in rows if row.accepted_at >= since]
        found = await missed_places(self._client, where, self._store, since)
        self._positions.missed(place.channel_id for place in found)
        async with asyncio.TaskGroup() as tasks:
            for row in interactions:
                what = f"the interaction {row.interaction_id}"
                tasks.create_task(self._guarded(what, self._interaction, row))
            for place in found:  # read one after the other, well below what Discord allows in all
                if self._work.stopping:
                    break
                await self._guarded(f"the channel {place.channel_id}", self._place, place, tasks)

    async def _guarded(
        self, what: str, work: Callable[P, Awaitable[None]], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Catch up with one thing, `what`; let what goes wrong with it cost the others nothing."""
        try:
            await work(*args, **kwargs)
        except (StoreError, *FAILURES) as failure:
            log.warning("Catching up with %s failed; the next start tries again. %s", what, failure)
        except Exception:
            log.exception("Catching up with %s failed unexpectedly; please report this", what)

    # Interactions.

    async def _interaction(self, row: OpenInteraction) -> None:
        async with self._turns:
            if self._ledger.in_work(row.interaction_id) or self._work.stopping:
                return
            with self._work.hold():
                if not await self._still_waits(row):
                    await self._ledger.strike_interaction(row.interaction_id)
                    return
                if not row.images:
                    await end_response(self._client, self._store, row)
                    await self._ledger.strike_interaction(row.interaction_id)
                    return
                request = await revived_request(self._client, self._store, row)
                try:
                    await self._answerer.answer(request)
                except Exception:
                    await self._answerer.report(request, UNEXPECTED)
                    raise

    async def _still_waits(self, row: OpenInteraction) -> bool:
        """Return whether the deferred response still waits for its answer."""
        try:
            response = await response_of(self._client, row).fetch_message(row.response_id or ORIGINAL)
        except discord.HTTPException as error:
            return error.code not in GONE
        return response.flags.loading

    # Messages.

    async def _place(self, place: MissedPlace, tasks: asyncio.TaskGroup) -> None:
        channel = await place.channel(self._client)
        guild = getattr(channel, "guild", None)
        if channel is None or not permissions_in(channel, guild.me if guild else None).reference:
            for row in place.open:  # it cannot be fetched again: at most once, here
                await self._ledger.strike_message(row)
            self._positions.looked_through(place.channel_id)
            return
        page = [
            message
            async for message in channel.history(limit=MESSAGES, after=place.since, oldest_first=False)
        ]
        what = f"the channel {place.channel_id}"
        tasks.create_task(self._guarded(what, self._answer, place, channel, page[::-1]))

    async def _answer(
        self, place: MissedPlace, channel: discord.abc.MessageableChannel, page: list[discord.Message]
    ) -> None:
        await self._take_away(place, page)
        answers = self._own_answers(page)
        known = {message.id: message for message in page}
        missed = [
            self._guarded(
                f"the message {row.message_id}",
                self._reopen,
                row,
                known.get(row.message_id),
                channel,
                answers,
            )
            for row in place.open.values()
        ]
        missed += [
            self._guarded(f"the message {message.id}", self._read, message, answers.get(message.id), place)
            for message in page
            if message.id not in place.open and not any(reaction.me for reaction in message.reactions)
        ]
        await asyncio.gather(*missed)
        if place.guild_id is not None and not self._work.stopping:
            self._positions.read_up_to(place.guild_id, channel.id, max(place.newest, *known, 0))
            self._positions.looked_through(channel.id)

    async def _read(
        self, message: discord.Message, answer: discord.Message | None, place: MissedPlace
    ) -> None:
        """Read a message that is new, or whose images may have changed since it was read."""
        async with self._turns:
            is_new = message.id > place.read and answer is None
            images = self._requests.images_of(message)
            if self._may_have_changed(message, images, place.since) and (images or not is_new):
                if answer is not None:
                    await self._ledger.found_answered(message, answer, message.author.id)
                await self._edits.catch_up(message)
            elif is_new and (images or place.guild_id is not None):  # a direct message may be small talk
                await self._intake.message_posted(message, missed=True)

    @staticmethod
    def _may_have_changed(message: discord.Message, images: Sequence[ImageSource], since: datetime) -> bool:
        """Return whether somebody has edited the message of late, or Discord may have looked up its links."""
        edited = message.edited_at is not None and message.edited_at >= since
        return edited or any(image.kind == "link" for image in images)

    async def _reopen(
        self,
        row: OpenMessage,
        message: discord.Message | None,
        channel: discord.abc.MessageableChannel,
        answers: dict[int, discord.Message],
    ) -> None:
        async with self._turns:
            if self._ledger.in_work(row.message_id) or self._work.stopping:
                return
            if message is None:  # older than the page, or gone
                try:
                    message = await channel.fetch_message(row.message_id)
                except discord.NotFound:
                    await self._ledger.strike_message(row.message_id)
                    return
                later = channel.history(limit=MESSAGES, after=message, oldest_first=True)
                answers = self._own_answers([message async for message in later])
            if row.message_id in answers:
                await self._ledger.found_answered(message, answers[row.message_id], row.user_id)
            if row.message_id in answers or (not row.asked and await self._standing.to([message.id])):
                await self._edits.catch_up(message, charged=True)
            elif row.asked and not self._requests.is_addressed(message):
                await self._offers.take_again(message, row)
            else:
                await self._intake.message_posted(message, missed=True, charged=True)
            if not self._work.stopping and not self._ledger.was_left_open(row.message_id):
                await self._ledger.strike_message(row.message_id)

    def _own_answers(self, page: Iterable[discord.Message]) -> dict[int, discord.Message]:
        """Return the bot's own replies, by what they reply to; a merged one by each of its sources."""
        own = [message for message in page if message.author == self._client.user]
        found = {source: message for message in own for source in merged_sources(message)}
        return found | {
            message.reference.message_id: message
            for message in own
            if message.reference and message.reference.message_id
        }

    async def _take_away(self, place: MissedPlace, page: Sequence[discord.Message]) -> None:
        """Delete an answer whose picture was deleted meanwhile, or its part of a merged one."""
        whole = len(page) < MESSAGES
        begin = discord.utils.time_snowflake(place.since) if whole else page[0].id
        present = {message.id for message in page}
        parts = {
            answer.id: {source for source in merged_sources(answer) - present if source >= begin}
            for answer in page
            if answer.author == self._client.user
        }
        for answer_id, sources in parts.items():
            if sources:  # a crash may have come before all of them were noted
                await self._standing.take_parts_away(place.channel_id, answer_id, sources)
        await self._retraction.messages_deleted(set().union(*parts.values()))
        for source, answer in self._own_answers(page).items():
            resolved = answer.reference.resolved if answer.reference else None
            is_gone = isinstance(resolved, discord.DeletedReferencedMessage) or (
                # Not every server tells what became of it; then the history does.
                resolved is None and source >= begin and source not in present
            )
            if is_gone and not merged_sources(answer):
                await self._standing.take_away(answer.channel.id, answer.id)
