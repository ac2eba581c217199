"""New sessions: what a crash, a restart or a lost session left unanswered is answered then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import ParamSpec

import discord
from discord.ext import commands

from bot.answering.answerer import Answerer
from bot.answering.ledger import Ledger
from bot.answering.retraction import Retraction
from bot.cogs.offers import OffersCog
from bot.delivery.channel_permissions import FAILURES, GONE, permissions_in
from bot.delivery.outbox import merged_sources
from bot.delivery.standing_answers import StandingAnswers
from bot.intake.interaction_requests import response_of, revived_request
from bot.intake.message_intake import MessageIntake
from bot.intake.message_requests import MessageRequests
from bot.intake.missed_messages import MESSAGES, MissedPlace, missed_places
from bot.intake.read_positions import ReadPositions
from bot.presentation.errors import UNEXPECTED
from bot.store import OpenInteraction, OpenMessage, Store, StoreError
from bot.work_in_hand import WorkInHand

__all__ = ["CatchUpCog"]

P = ParamSpec("P")

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Messages and interactions that are caught up with at once: what people post now shares the rate limits."""


class CatchUpCog(commands.Cog):
    """Makes one pass whenever there is a new session, also the first: nothing before it was heard."""

    def __init__(
        self,
        *,
        client: discord.Client,
        seconds: float,
        store: Store,
        ledger: Ledger,
        positions: ReadPositions,
        requests: MessageRequests,
        intake: MessageIntake,
        offers: OffersCog,
        answerer: Answerer,
        standing: StandingAnswers,
        retraction: Retraction,
        work: WorkInHand,
    ) -> None:
        """`seconds`: how far back is looked; 0 for not at all."""
        self._client = client
        self._seconds = seconds
        self._store = store
        self._ledger = ledger
        self._positions = positions
        self._requests = requests
        self._intake = intake
        self._offers = offers
        self._answerer = answerer
        self._standing = standing
        self._retraction = retraction
        self._work = work
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._disconnected = True
        self._again = False
        self._late: set[discord.Guild] = set()
        """Servers that became available since the last pass."""
        self._passing: asyncio.Task[None] | None = None

    @property
    def is_behind(self) -> bool:
        """Whether something missed may still be unanswered."""
        return self._positions.away

    @commands.Cog.listener()
    async def on_disconnect(self) -> None:
        """Note that from here on something may be missed."""
        self._disconnected = True
        self._positions.leave()

    @commands.Cog.listener()
    async def on_connect(self) -> None:
        """Note a new session: Discord tells nothing of what happened before it."""
        self._positions.begin()

    @commands.Cog.listener()
    async def on_resumed(self) -> None:
        """Note that Discord has told again what happened meanwhile."""
        self._disconnected = False
        if self._passing is None:
            self._positions.settle()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Look for what was missed, now that the new session knows its servers."""
        self._disconnected = False
        self._again = True
        if self._passing is None:
            self._passing = asyncio.create_task(self._catch_up(), name="catch up")

    @commands.Cog.listener()
    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """Note that from here on something may be missed in a server that has an outage."""
        self._positions.hold(guild.id)

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Look for what was missed in a server that became available after the session began."""
        if self._disconnected:  # a session that begins tells of its servers before it is ready
            return
        self._late.add(guild)
        if self._passing is None:
            self._passing = asyncio.create_task(self._catch_up(), name="catch up")

    async def cog_unload(self) -> None:
        """Stop; what is not caught up with by now is, after the next start."""
        if self._passing is not None:
            self._passing.cancel()
            await asyncio.wait([self._passing])

    async def _catch_up(self) -> None:
        try:
            while (self._again or self._late) and not self._work.stopping:
                guilds = self._due_guilds()
                if self._seconds:
                    await self._pass(guilds)
                for guild in guilds:
                    self._positions.release(guild.id)
        except StoreError as error:
            log.warning("What was missed could not be looked up in the store. %s", error)
        except Exception:
            log.exception("Catching up with what was missed failed unexpectedly; please report this")
        finally:
            self._passing = None
        if not self._disconnected and not self._work.stopping:
            self._positions.settle()

    def _due_guilds(self) -> list[discord.Guild]:
        """Return the servers that the next pass is about; those that are unavailable have to wait."""
        guilds = list(self._client.guilds) if self._again else list(self._late)
        self._again, self._late = False, set()
        for guild in guilds:
            if guild.unavailable:
                self._positions.hold(guild.id)
        return [guild for guild in guilds if not guild.unavailable]

    async def _pass(self, guilds: Iterable[discord.Guild]) -> None:
        since = discord.utils.utcnow() - timedelta(seconds=self._seconds)
        interactions = [row for row in await self._store.work.interactions() if row.accepted_at >= since]
        found = await missed_places(guilds, self._store, since)
        async with asyncio.TaskGroup() as tasks:
            for row in interactions:
                tasks.create_task(self._guarded(self._interaction, row))
            for place in found:  # read one after the other, well below what Discord allows in all
                if self._work.stopping:
                    break
                await self._guarded(self._place, place, tasks)

    async def _guarded(self, work: Callable[P, Awaitable[None]], *args: P.args, **kwargs: P.kwargs) -> None:
        """Let what goes wrong with one cost the others nothing."""
        try:
            await work(*args, **kwargs)
        except FAILURES as failure:
            log.warning("Something missed could not be looked at; the next start tries again. %s", failure)
        except Exception:
            log.exception("Looking at something missed failed unexpectedly; please report this")

    # Interactions.

    async def _interaction(self, row: OpenInteraction) -> None:
        async with self._turns:
            if self._ledger.in_work(row.interaction_id) or self._work.stopping:
                return
            with self._work.hold():
                if not await self._still_waits(row):
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
        if row.response_id is None:
            return True  # an edit will tell
        try:
            response = await response_of(self._client, row).fetch_message(row.response_id)
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
            return
        page = [
            message
            async for message in channel.history(limit=MESSAGES, after=place.since, oldest_first=False)
        ]
        tasks.create_task(self._guarded(self._answer, place, channel, page[::-1]))

    async def _answer(
        self, place: MissedPlace, channel: discord.abc.MessageableChannel, page: list[discord.Message]
    ) -> None:
        await self._take_away(place, page)
        answers = self._own_answers(page)
        known = {message.id: message for message in page}
        missed = [
            self._guarded(self._reopen, row, known.get(row.message_id), channel, answers)
            for row in place.open.values()
        ]
        missed += [
            self._guarded(self._read, message)
            for message in page
            if message.id > place.read
            and message.id not in place.open
            and message.id not in answers
            and not any(reaction.me for reaction in message.reactions)
        ]
        await asyncio.gather(*missed)
        if place.guild_id is not None and not self._work.stopping:
            self._positions.read_up_to(place.guild_id, channel.id, max(place.newest, *known, 0))

    async def _read(self, message: discord.Message) -> None:
        async with self._turns:
            await self._intake.message_posted(message, missed=True)

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
                await self._ledger.found_answered(row, answers[row.message_id])
                return
            if row.asked and not self._requests.is_addressed(message):
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
        gone = {
            source
            for answer in page
            if answer.author == self._client.user
            for source in merged_sources(answer)
            if source >= begin
        }.difference(message.id for message in page)
        await self._retraction.messages_deleted(gone)
        for answer in self._own_answers(page).values():
            resolved = answer.reference.resolved if answer.reference else None
            if isinstance(resolved, discord.DeletedReferencedMessage):
                await self._standing.take_away(answer.channel.id, answer.id)
