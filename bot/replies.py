"""Answers to messages: each replies to its source, and goes when its source goes."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import discord

from bot.answers import Answer
from bot.delivery import FAILURES, Allowed, allowed_in, shape

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = ["LATE", "MUTE", "Replies"]

log = logging.getLogger(__name__)

LATE, MUTE = "⌛", "🔇"
REMEMBERED = 10_000
"""Messages of this run that are remembered as taken up, or as deleted; the oldest are forgotten."""
QUIET = 3600.0
"""Seconds between two log lines about one channel."""


class Replies:
    """Sends them and takes them away; which message has which is in the store."""

    def __init__(self, bot: Whatsit) -> None:
        self._bot = bot
        self._ledger = bot.ledger
        self._started = discord.utils.time_snowflake(discord.utils.utcnow())
        self._claimed: OrderedDict[int, None] = OrderedDict()
        self._deleted: OrderedDict[int, None] = OrderedDict()
        self._working: dict[int, asyncio.Task[object]] = {}
        self._logged: dict[int, float] = {}

    async def claim(self, message: discord.Message) -> bool:
        """Whether this message is still unanswered; from now on it is not."""
        if message.id in self._claimed:
            return False
        _remember(self._claimed, message.id)
        # Only what was there before this run can have been answered by an earlier one.
        return message.id > self._started or not await self._ledger.answers_to([message.id])

    @contextmanager
    def working_on(self, *sources: int) -> Iterator[None]:
        """Meanwhile the deletion of one of these messages cancels the current task: nobody waits any more."""
        task = asyncio.current_task()
        if task is not None:
            self._working |= dict.fromkeys(sources, task)
        try:
            yield
        finally:
            for source in sources:
                self._working.pop(source, None)

    def late(self, message: discord.Message) -> bool:
        """Whether an answer would come too long after its picture."""
        return self._time_left(message) < 0

    async def possible(self, message: discord.Message) -> bool:
        """Whether an answer may be sent now; if not, the message gets a reaction instead."""
        allowed = self._allowed(message)
        obstacle = LATE if self.late(message) else None if allowed.send else MUTE
        if obstacle is not None:
            await self._react(message, obstacle, allowed)
        return obstacle is None

    async def send(
        self,
        message: discord.Message,
        answer: Answer,
        *,
        view: discord.ui.View | None = None,
        sources: Iterable[int] = (),
    ) -> None:
        """Reply to `message` as its channel allows; the answer goes when it, or one of `sources`, does."""
        on = {message.id, *sources}
        if self._deleted.keys() & on or not await self.possible(message):
            return
        allowed = self._allowed(message)
        try:
            # Discord's rate limit may hold it up until it would be late.
            async with asyncio.timeout(self._time_left(message)):
                sent = await message.channel.send(**_reply(message, answer, view, allowed))
        except (discord.RateLimited, TimeoutError):
            await self._react(message, LATE, allowed)
        except discord.Forbidden:
            await self._react(message, MUTE, allowed)
        except FAILURES as failure:
            if not _source_is_gone(failure):
                log.warning("An answer in %s could not be sent: %s", message.channel, failure)
                self._claimed.pop(message.id, None)
                self._ledger.leave_open(message.id)
        else:
            await self._ledger.answered(message, sent, on)
            if self._deleted.keys() & on:  # deleted while the answer was on its way
                await self.take_away(sent.channel.id, sent.id)

    async def forget(self, sources: Iterable[int]) -> None:
        """These messages were deleted: stop working on them, and take their answers away."""
        sources = list(sources)
        for source in sources:
            _remember(self._deleted, source)
            if (task := self._working.get(source)) is not None:
                task.cancel()
        for answer in await self._ledger.answers_to(sources):
            await self.take_away(answer.channel_id, answer.answer_id)

    async def take_away(self, channel_id: int, answer_id: int) -> None:
        """Delete an answer whose picture is gone."""
        try:
            await self._bot.get_partial_messageable(channel_id).get_partial_message(answer_id).delete()
        except discord.NotFound:
            log.debug("The answer %d is gone already", answer_id)
        except FAILURES as failure:
            log.warning("The answer %d to a deleted message could not be deleted: %s", answer_id, failure)
            return
        await self._ledger.forget(answer_id)

    def _time_left(self, message: discord.Message) -> float:
        age = discord.utils.utcnow().timestamp() - message.created_at.timestamp()
        return self._ledger.late_after(message.id) - age

    def _allowed(self, message: discord.Message) -> Allowed:
        return allowed_in(message.channel, message.guild.me if message.guild else None)

    async def _react(self, message: discord.Message, emoji: str, allowed: Allowed) -> None:
        if allowed.react:
            try:
                await message.add_reaction(emoji)
            except discord.NotFound:
                return  # the message is gone, and with it the need to say anything
            except FAILURES as failure:
                log.debug("No reaction in %s: %s", message.channel, failure)
            else:
                return
        self._log_once(message.channel)

    def _log_once(self, channel: discord.abc.MessageableChannel) -> None:
        now = discord.utils.utcnow().timestamp()
        self._logged = {known: at for known, at in self._logged.items() if now - at < QUIET}
        if channel.id not in self._logged:
            self._logged[channel.id] = now
            log.warning(
                "Cannot answer in %s (%d): it allows me neither messages nor reactions", channel, channel.id
            )


def _reply(
    message: discord.Message, answer: Answer, view: discord.ui.View | None, allowed: Allowed
) -> dict[str, Any]:
    # Discord takes a second message with the same nonce for the first.
    reply = shape(answer, embeds=allowed.embeds) | {"nonce": str(message.id)}
    if view is not None:
        reply["view"] = view
    if allowed.reference:
        reply |= {"reference": message.to_reference(), "mention_author": False}
    return reply


def _source_is_gone(failure: BaseException) -> bool:
    """Discord refuses a reply to a deleted message as an invalid form; 404 is a deleted channel."""
    if isinstance(failure, discord.NotFound):
        return True
    return isinstance(failure, discord.HTTPException) and "message_reference" in failure.text


def _remember(memory: OrderedDict[int, None], key: int) -> None:
    memory[key] = None
    memory.move_to_end(key)
    while len(memory) > REMEMBERED:
        memory.popitem(last=False)
