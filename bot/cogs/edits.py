"""What happens to an answer when its message changes, or is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import discord
from discord.ext import commands

from bot.answering.answerer import granted, written
from bot.answering.message_memory import fingerprint
from bot.delivery.reactions import OVER
from bot.intake.message_images import Source, images_of
from bot.intake.message_requests import asked_for
from bot.policy.audience import is_heard

if TYPE_CHECKING:
    from bot.client import Whatsit
    from bot.cogs.messages import Watch
    from bot.store import Answer

__all__ = ["Edits"]


class Edits(commands.Cog):
    """Raw events: nothing of what people write is kept, so there is no message to compare with."""

    def __init__(self, bot: Whatsit, watch: Watch) -> None:
        self.bot = bot
        self._watch = watch
        self._replies = watch.replies

    @commands.Cog.listener()
    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """An edit, or Discord has looked up a link, which comes like one."""
        message = payload.message
        if not is_heard(self.bot, message):
            return
        if self._replies.recent.images(message.id) and not self._images(message):
            await self._replies.clear([message.id])  # now, not when the work on them is done
        await self._watch.work_on(message, self._reread)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Takes the answer away with its message."""
        await self._replies.forget([payload.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Likewise, for a purge."""
        await self._replies.forget(payload.message_ids)

    async def _reread(self, message: discord.Message) -> None:
        images = self._images(message)
        answers: Sequence[Answer] = ()
        before = self._replies.recent.images(message.id)
        if before != 0:
            answers = await self.bot.ledger.answers_to([message.id])
        if before is None:  # of an earlier run: its answer tells, if there is one
            before = next((answer.images for answer in answers if answer.images is not None), None)
        if before in (None, fingerprint(images)):
            return
        self._replies.recent.saw(message.id, images)
        if not images:
            await self._replies.clear([message.id])
            self._replies.recent.release(message.id)
        elif answers:
            await self._revise(message, images, answers)
        elif not self._is_late(message):
            self._replies.recent.release(message.id)
            await self._watch.read(message)

    def _images(self, message: discord.Message) -> list[Source]:
        return images_of(message, self.bot.settings.watch)

    def _is_late(self, message: discord.Message) -> bool:
        """Long after it was written: only Discord's looking up a link again."""
        written = message.edited_at or message.created_at
        age = discord.utils.utcnow().timestamp() - written.timestamp()
        return age > self.bot.settings.watch.late_after

    async def _revise(
        self, message: discord.Message, images: Sequence[Source], answers: Sequence[Answer]
    ) -> None:
        """Look at what the message shows now, and say so where its answer stands."""
        request = await asked_for(self.bot, message, images, since=discord.utils.utcnow())
        for answer in answers if request.images else ():
            here = answer.channel_id == message.channel.id
            ours = replace(request, manner="reply" if here else "direct")
            grant = await granted(self.bot, ours)
            if not grant.images:
                await self._replies.signs.show(message, OVER)
                return
            with self._replies.working_on(ours.sources):
                new = await written(self.bot, ours, grant)
            if new is not None:
                await self._replies.revise(ours, *new, answer)
