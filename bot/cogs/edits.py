"""Messages that change or are deleted, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import discord
from discord.ext import commands

from bot.answering.answerer import Answerer
from bot.answering.message_memory import MessageMemory
from bot.answering.retraction import Retraction
from bot.delivery.standing_answers import StandingAnswers
from bot.image_source import fingerprint
from bot.intake.message_intake import MessageIntake
from bot.intake.message_requests import MessageRequests
from bot.policy.audience import Audience
from bot.policy.deadlines import answer_deadline
from bot.store import StoredAnswer
from config.settings import Watch


class EditsCog(commands.Cog):
    """Hears raw events: nothing of what people write is kept, so there is no message to compare with."""

    def __init__(
        self,
        *,
        watch: Watch,
        audience: Audience,
        requests: MessageRequests,
        intake: MessageIntake,
        answerer: Answerer,
        memory: MessageMemory,
        standing: StandingAnswers,
        retraction: Retraction,
    ) -> None:
        self._watch = watch
        self._audience = audience
        self._requests = requests
        self._intake = intake
        self._answerer = answerer
        self._memory = memory
        self._standing = standing
        self._retraction = retraction

    @commands.Cog.listener()
    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Look again at a message that was edited, or whose links Discord has looked up."""
        message = payload.message
        if not self._audience.listens_to(message):
            return
        if self._memory.images(message.id) and not self._requests.images_of(message):
            await self._retraction.images_removed([message.id])  # now, not when the work on them is done
        await self._intake.take(message, self._reread)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Take the answer away with its message."""
        await self._retraction.messages_deleted([payload.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Take the answers to all these messages away."""
        await self._retraction.messages_deleted(payload.message_ids)

    async def catch_up(self, message: discord.Message, *, charged: bool = False) -> None:
        """Answer what an edit has brought that was made while the bot was away, or interrupted by a crash.

        `charged`: an earlier run has charged for it.
        """
        await self._intake.take(message, partial(self._reread, missed=True, charged=charged))

    async def _reread(self, message: discord.Message, *, missed: bool = False, charged: bool = False) -> None:
        images = self._requests.images_of(message)
        answers: Sequence[StoredAnswer] = ()
        before = self._memory.images(message.id)
        if before != 0:
            answers = await self._standing.to([message.id])
        if before is None:  # of an earlier run: its answer tells, if there is one
            before = next((answer.images for answer in answers if answer.images is not None), None)
        if before == fingerprint(images):
            return
        if before is None and not (missed and images and (message.edited_at or not answers)):
            return  # what it showed is not known, and nothing says that it shows something else now
        self._memory.saw(message.id, images)
        if not images:
            await self._retraction.images_removed([message.id])
            self._memory.release(message.id)
        elif answers:
            await self._revise(message, answers, charged=charged)
        elif missed or not self._is_late(message):
            self._memory.release(message.id)
            await self._intake.read(message, missed=missed, charged=charged)

    def _is_late(self, message: discord.Message) -> bool:
        """Return whether the message was written long ago: then Discord has only looked up a link again."""
        return discord.utils.utcnow() > answer_deadline(self._requests.written_at(message), self._watch)

    async def _revise(
        self, message: discord.Message, answers: Sequence[StoredAnswer], *, charged: bool
    ) -> None:
        """Look at what the message shows now, and say so where its answers stand."""
        for answer in answers:
            in_channel = answer.channel_id == message.channel.id
            request = await self._requests.of_edit(message, in_channel=in_channel, charged=charged)
            if request is None or not await self._answerer.revise(request, answer):
                return
