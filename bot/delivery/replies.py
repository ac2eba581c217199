"""Answers to messages: each comes in the manner asked for, and goes when its source goes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import discord

from bot.answering.message_memory import Recent
from bot.buttons import Buttons
from bot.delivery.outbox import Letter, Outbox, Thinned, merged_from, without
from bot.delivery.reactions import CLOSED, LATE, MUTE, OVER, Signs
from bot.delivery.sending import FAILURES, Allowed, allowed_in, direct, shape
from bot.intake.message_requests import Request
from bot.presentation.answer import Answer
from bot.presentation.help_texts import MENU

if TYPE_CHECKING:
    from bot.client import Whatsit
    from bot.policy.quota import Grant
    from bot.store import Answer as Known

__all__ = ["Replies"]

log = logging.getLogger(__name__)


class Replies:
    """Sends them, changes them and takes them away; which message has which is in the store."""

    def __init__(self, bot: Whatsit) -> None:
        self._bot = bot
        self._ledger = bot.ledger
        self._outbox = Outbox()
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._working: dict[int, asyncio.Task[object]] = {}
        self._shrinking = asyncio.Lock()
        self.recent = Recent()
        self.signs = Signs()

    async def claim(self, request: Request) -> bool:
        """Whether the message is still unanswered; from now on it is not."""
        message = request.message
        if request.leaves_offer:
            return True
        if not self.recent.claim(message.id):
            return False
        if self.recent.is_whole(message.id):  # else it may have been answered without our knowing
            return True
        known = await self._ledger.answers_to([message.id])
        # Those who clicked for themselves alone have their answers elsewhere.
        return not any(not request.clicked or row.channel_id == message.channel.id for row in known)

    async def offer(self, request: Request) -> None:
        """Set the reaction that somebody may click to have the answer."""
        if any(image.certain for image in request.images) and not self.is_late(request):
            await self.signs.show(request.message, request.wants.guild.emoji)

    def turn(self, message_id: int) -> asyncio.Lock:
        """To be held by whoever answers a message, or changes its answer."""
        if (lock := self._turns.get(message_id)) is None:
            self._turns[message_id] = lock = asyncio.Lock()
        return lock

    @contextmanager
    def working_on(self, sources: Collection[int]) -> Iterator[None]:
        """Meanwhile the deletion of one of these messages cancels the current task: nobody waits any more."""
        task = asyncio.current_task()
        if task is not None:
            self._working |= dict.fromkeys(sources, task)
        try:
            yield
        finally:
            for source in sources:
                self._working.pop(source, None)

    def is_late(self, request: Request) -> bool:
        """Whether an answer would come too long after it was wanted."""
        return self._time_left(request) < 0

    async def possible(self, request: Request) -> bool:
        """Whether an answer may be sent now; if not, the message gets a reaction instead."""
        allowed = request.manner == "direct" or self._allowed(request).send
        obstacle = LATE if self.is_late(request) else None if allowed else MUTE
        if obstacle is not None:
            await self.signs.show(request.message, obstacle)
        return obstacle is None

    async def refuse(self, request: Request, grant: Grant) -> None:
        """Say that these images are too many: in words where only the asker reads them."""
        self.recent.release(request.message.id)
        if request.message.guild is None:
            await self.send(request, Answer.line(grant.line(request.language)))
        else:
            await self.signs.show(request.message, OVER)

    async def send(self, request: Request, answer: Answer, buttons: Buttons | None = None) -> bool:
        """Answer in the manner of `request`; the answer goes when one of its sources does.

        False: nobody has the answer.
        """
        if self.recent.is_deleted(request.sources) or not await self.possible(request):
            return False
        try:
            if request.manner == "direct":
                sent = await self._directly(request, answer)
            else:
                sent = await self._outbox.send(self._letter(request, answer, buttons))
        except (Thinned, discord.RateLimited, TimeoutError):
            await self._thin(request)
        except discord.Forbidden:
            await self.signs.show(request.message, MUTE)
        except FAILURES as failure:
            if not _source_is_gone(failure):
                log.warning("An answer in %s could not be sent: %s", request.message.channel, failure)
                self.recent.release(request.message.id)
                self._ledger.leave_open(request.message.id)
        else:
            if sent is not None:
                await self._ledger.answered(request, sent)
                if self.recent.is_deleted(request.sources):  # deleted while the answer was on its way
                    await self.take_away_from(request.sources)
            return sent is not None
        return False

    async def revise(self, request: Request, answer: Answer, buttons: Buttons | None, known: Known) -> None:
        """Put another answer in the place of one that stands; out of a merged one it is taken."""
        embeds = request.manner == "direct" or self._allowed(request).embeds
        answer_id, message_id = known.answer_id, request.message.id
        try:
            standing = self._message(known.channel_id, answer_id)
            several = len(await self._ledger.sources_of(answer_id)) > 1
            if several and message_id in merged_from(await standing.fetch()):
                await self._shrink(known.channel_id, answer_id, [message_id])
                await self.send(request, answer, buttons)
                return
            view = buttons.view() if buttons else None
            await standing.edit(**shape(answer, embeds=embeds), view=view)
        except discord.NotFound:  # somebody has deleted it, and does not want it back
            await self._ledger.forget(answer_id)
        except FAILURES as failure:
            log.warning("The answer %d could not be changed: %s", answer_id, failure)
        else:
            await self._ledger.revised(request, answer_id)

    async def forget(self, sources: Iterable[int]) -> None:
        """These messages were deleted: stop working on them, and take their answers away."""
        sources = list(sources)
        self.recent.delete(sources)
        await self.clear(sources)

    async def clear(self, sources: Collection[int]) -> None:
        """There are no images in these messages any more."""
        for source in sources:
            if (task := self._working.get(source)) is not None:
                task.cancel()
        await self.take_away_from(sources)

    async def take_away_from(self, sources: Collection[int]) -> None:
        """Delete the answers to these messages, or what answers them in a merged one."""
        rows = {row.answer_id: row for row in await self._ledger.answers_to(sources)}
        for row in rows.values():
            if len(await self._ledger.sources_of(row.answer_id)) > 1:
                await self._shrink(row.channel_id, row.answer_id, sources)
            else:
                await self.take_away(row.channel_id, row.answer_id)

    async def take_away(self, channel_id: int, answer_id: int) -> None:
        """Delete an answer whose picture is gone."""
        try:
            await self._message(channel_id, answer_id).delete()
        except discord.NotFound:
            log.debug("The answer %d is gone already", answer_id)
        except FAILURES as failure:
            log.warning("The answer %d to a deleted message could not be deleted: %s", answer_id, failure)
            return
        await self._ledger.forget(answer_id)

    async def _shrink(self, channel_id: int, answer_id: int, gone: Collection[int]) -> None:
        async with self._shrinking:  # or of two at once the second would undo the first
            try:
                answer = await self._message(channel_id, answer_id).fetch()
                left = without(answer, gone)
                if left and not merged_from(answer).isdisjoint(gone):
                    await answer.edit(**left)
                    await self._ledger.forget_sources(answer_id, gone)
                    return
            except FAILURES as failure:
                log.debug("The answer %d cannot be made shorter: %s", answer_id, failure)
        await self.take_away(channel_id, answer_id)

    async def _thin(self, request: Request) -> None:
        """Offer an answer for which there is no time."""
        self.recent.release(request.message.id)
        in_server = request.message.guild is not None
        await self.signs.show(request.message, request.wants.guild.emoji if in_server else LATE)

    async def _directly(self, request: Request, answer: Answer) -> discord.Message | None:
        language, message = request.language, request.message
        async with asyncio.timeout(self._time_left(request)):
            sent = await direct(request.asker, answer, language, source_id=message.id)
        if isinstance(sent, discord.Message):
            return sent
        if not request.asked or not self._allowed(request).send:
            await self.signs.show(message, CLOSED)
            return None
        line = request.wants.shared_language.gettext(
            "Your direct messages are closed to me. Open the menu of the message with the picture and choose "
            "Apps, then **{menu}**: only you see that answer."
        ).format(menu=request.wants.shared_language.gettext(MENU))
        return await self._outbox.send(self._letter(request, Answer.line(line), None))

    def _letter(self, request: Request, answer: Answer, buttons: Buttons | None) -> Letter:
        allowed = self._allowed(request)
        return Letter(
            request.message,
            answer,
            late_at=discord.utils.utcnow().timestamp() + self._time_left(request),
            buttons=buttons,
            embeds=allowed.embeds,
            reference=allowed.reference,
            silent=request.manner == "silent",
        )

    def _time_left(self, request: Request) -> float:
        age = discord.utils.utcnow().timestamp() - request.since.timestamp()
        return self._ledger.late_after(request.message.id) - age

    def _allowed(self, request: Request) -> Allowed:
        guild = request.message.guild
        return allowed_in(request.message.channel, guild.me if guild else None)

    def _message(self, channel_id: int, message_id: int) -> discord.PartialMessage:
        return self._bot.get_partial_messageable(channel_id).get_partial_message(message_id)


def _source_is_gone(failure: BaseException) -> bool:
    """Discord refuses a reply to a deleted message as an invalid form; 404 is a deleted channel."""
    if isinstance(failure, discord.NotFound):
        return True
    return isinstance(failure, discord.HTTPException) and "message_reference" in failure.text
