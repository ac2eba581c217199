"""What a crash, a restart or a lost session left unanswered is answered: see ARCHITECTURE.md."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, ParamSpec

import discord
from discord.ext import commands

from bot.delivery.outbox import merged_from
from bot.delivery.sending import FAILURES, GONE, allowed_in, respond
from bot.i18n import languages
from bot.intake.interaction_requests import Asked, revived
from bot.intake.missed_messages import MESSAGES, Place, places
from bot.policy.audience import is_asked
from bot.presentation.answer import Answer
from bot.presentation.errors import UNEXPECTED
from bot.store import OpenInteraction, OpenMessage, StoreError

if TYPE_CHECKING:
    from bot.client import Whatsit
    from bot.cogs.classify import Classify
    from bot.cogs.messages import Watch
    from bot.cogs.offers import Offers

__all__ = ["CatchUp"]

P = ParamSpec("P")

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Messages and interactions that are caught up with at once: what people post now shares the rate limits."""


class CatchUp(commands.Cog):
    """One pass whenever there is a new session, also the first: nothing before it was heard."""

    def __init__(self, bot: Whatsit, watch: Watch, offers: Offers, classify: Classify) -> None:
        self.bot = bot
        self.ledger = bot.ledger
        self._watch = watch
        self._offers = offers
        self._classify = classify
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._away = True
        self._again = False
        self._passing: asyncio.Task[None] | None = None

    @commands.Cog.listener()
    async def on_disconnect(self) -> None:
        """From here on something may be missed."""
        self._away = True
        self.ledger.leave()

    @commands.Cog.listener()
    async def on_connect(self) -> None:
        """A new session: Discord tells nothing of what happened before it."""
        self.ledger.begin()

    @commands.Cog.listener()
    async def on_resumed(self) -> None:
        """Discord has told again what happened meanwhile."""
        self._away = False
        if self._passing is None:
            self.ledger.settle()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """The new session knows its servers: time to look for what was missed."""
        self._away = False
        self._again = True
        if self._passing is None:
            self._passing = asyncio.create_task(self._catch_up(), name="catch up")

    async def cog_unload(self) -> None:
        """What is not caught up with by now is, after the next start."""
        if self._passing is not None:
            self._passing.cancel()
            await asyncio.wait([self._passing])

    async def _catch_up(self) -> None:
        try:
            while self._again and not self.bot.stopping:
                self._again = False
                if self.bot.settings.watch.catch_up:
                    await self._pass()
        except StoreError as error:
            log.warning("What was missed cannot be looked up. %s", error)
        except Exception:
            log.exception("Catching up failed, and nobody knows why")
        finally:
            self._passing = None
        if not self._away and not self.bot.stopping:
            self.ledger.settle()

    async def _pass(self) -> None:
        since = discord.utils.utcnow() - timedelta(seconds=self.bot.settings.watch.catch_up)
        interactions = [row for row in await self.bot.store.work.interactions() if row.accepted_at >= since]
        found = await places(self.bot, since)
        async with asyncio.TaskGroup() as tasks:
            for row in interactions:
                tasks.create_task(self._guarded(self._interaction, row))
            for place in found:  # read one after the other, well below what Discord allows in all
                if self.bot.stopping:
                    break
                await self._guarded(self._place, place, tasks)

    async def _guarded(self, work: Callable[P, Awaitable[None]], *args: P.args, **kwargs: P.kwargs) -> None:
        """What goes wrong with one costs the others nothing."""
        try:
            await work(*args, **kwargs)
        except FAILURES as failure:
            log.warning("Something missed could not be looked at; the next start tries again. %s", failure)
        except Exception:
            log.exception("Something missed could not be looked at, and nobody knows why")

    # Interactions.

    async def _interaction(self, row: OpenInteraction) -> None:
        async with self._turns:
            if self.ledger.in_work(row.interaction_id) or self.bot.stopping:
                return
            interaction = revived(self.bot, row)
            with self.bot.in_hand():
                if not await self._waits(interaction, row.response_id):
                    await self.ledger.strike_interaction(row.interaction_id)
                    return
                async with self.ledger.again(row.interaction_id):
                    try:
                        await self._classify.answer(interaction, Asked.of(row))
                    except Exception:
                        line = languages.of(interaction.locale).gettext(UNEXPECTED)
                        await respond(interaction, Answer.line(line))
                        raise

    async def _waits(self, interaction: discord.Interaction[Whatsit], response_id: int | None) -> bool:
        """Whether the deferred response still waits for its answer."""
        if response_id is None:
            return True  # an edit will tell
        try:
            response = await interaction.followup.fetch_message(response_id)
        except discord.HTTPException as error:
            return error.code not in GONE
        return response.flags.loading

    # Messages.

    async def _place(self, place: Place, tasks: asyncio.TaskGroup) -> None:
        channel = await place.channel(self.bot)
        guild = getattr(channel, "guild", None)
        if channel is None or not allowed_in(channel, guild.me if guild else None).reference:
            for row in place.open:  # it cannot be fetched again: at most once, here
                await self.ledger.strike_message(row)
            return
        page = [
            message
            async for message in channel.history(limit=MESSAGES, after=place.since, oldest_first=False)
        ]
        tasks.create_task(self._guarded(self._answer, place, channel, page[::-1]))

    async def _answer(
        self, place: Place, channel: discord.abc.MessageableChannel, page: list[discord.Message]
    ) -> None:
        await self._take_away(place, page)
        answers = self._answers(page)
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
        if place.guild_id is not None and not self.bot.stopping:
            self.ledger.read_up_to(place.guild_id, channel.id, max(place.newest, *known, 0))

    async def _read(self, message: discord.Message) -> None:
        async with self._turns:
            with self.ledger.missed(message.id):
                await self._watch.on_message(message)

    async def _reopen(
        self,
        row: OpenMessage,
        message: discord.Message | None,
        channel: discord.abc.MessageableChannel,
        answers: dict[int, discord.Message],
    ) -> None:
        async with self._turns:
            if self.ledger.in_work(row.message_id) or self.bot.stopping:
                return
            if message is None:  # older than the page, or gone
                try:
                    message = await channel.fetch_message(row.message_id)
                except discord.NotFound:
                    await self.ledger.strike_message(row.message_id)
                    return
                later = channel.history(limit=MESSAGES, after=message, oldest_first=True)
                answers = self._answers([message async for message in later])
            if row.message_id in answers:
                await self.ledger.found(row, answers[row.message_id])
                return
            with self.ledger.missed(row.message_id, granted=True):
                if row.asked and not is_asked(self.bot, message):
                    await self._offers.again(message, row)
                else:
                    await self._watch.on_message(message)
            if not self.bot.stopping and not self.ledger.was_left(row.message_id):
                await self.ledger.strike_message(row.message_id)

    def _answers(self, page: Iterable[discord.Message]) -> dict[int, discord.Message]:
        """The bot's own replies, by what they reply to; a merged one by each of its sources."""
        own = [message for message in page if message.author == self.bot.user]
        found = {source: message for message in own for source in merged_from(message)}
        return found | {
            message.reference.message_id: message
            for message in own
            if message.reference and message.reference.message_id
        }

    async def _take_away(self, place: Place, page: Sequence[discord.Message]) -> None:
        """An answer whose picture was deleted meanwhile goes too, or its part of a merged one."""
        whole = len(page) < MESSAGES
        begin = discord.utils.time_snowflake(place.since) if whole else page[0].id
        gone = {
            source
            for answer in page
            if answer.author == self.bot.user
            for source in merged_from(answer)
            if source >= begin
        }.difference(message.id for message in page)
        await self._watch.replies.forget(gone)
        for answer in self._answers(page).values():
            resolved = answer.reference.resolved if answer.reference else None
            if isinstance(resolved, discord.DeletedReferencedMessage):
                await self._watch.replies.take_away(answer.channel.id, answer.id)
