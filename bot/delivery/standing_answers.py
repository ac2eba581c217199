"""Change the answers that stand, and take them away when their messages are gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import timedelta

import discord

from bot.delivery.channel_permissions import FAILURES
from bot.delivery.destination import message_body
from bot.delivery.outbox import merged_sources, without_sources
from bot.presentation.answer import Answer
from bot.store import Store, StoredAnswer
from bot.store.store_guard import StoreGuard

log = logging.getLogger(__name__)


SHRINK_PAUSES = (1.0, 5.0)
"""Seconds until taking a part out of a merged answer is tried again: most faults of a network pass sooner."""
NEW = timedelta(minutes=10)
"""How long it may take, with a crash and a new start, until all that a merged answer answers is noted."""


class StandingAnswers:
    """Knows from the store which message has which answer, also those of earlier runs."""

    def __init__(self, client: discord.Client, store: Store, guard: StoreGuard) -> None:
        self._client = client
        self._answers = store.answers
        self._guard = guard
        self._shrinking = asyncio.Lock()

    async def to(self, message_ids: Collection[int]) -> Sequence[StoredAnswer]:
        """Return the answers to these messages; none if the store fails."""
        return await self._guard.read(self._answers.to, message_ids) or ()

    async def replace(
        self,
        standing: StoredAnswer,
        message_id: int,
        answer: Answer,
        view: discord.ui.View | None,
        *,
        embeds: bool,
        images: int,
        resumed: bool,
    ) -> bool:
        """Put another answer to a message in the place of one that stands.

        `images` is the fingerprint of those it names. `resumed`: a crash interrupted this before, perhaps
        after the old answer was taken away. False: the answer was taken out of a merged one, and has to be
        sent anew.
        """
        answer_id = standing.answer_id
        try:
            message = self._message(standing.channel_id, answer_id)
            merged = merged_sources(await message.fetch()) if await self._may_be_merged(answer_id) else set()
            if message_id in merged:
                return not await self.take_parts_away(standing.channel_id, answer_id, [message_id])
            if merged:  # its part was taken out before a crash
                await self._guard.write(self._answers.forget_sources, answer_id, [message_id])
                return False
            await message.edit(**message_body(answer, embeds=embeds), view=view)
        except discord.NotFound:
            await self._guard.write(self._answers.forget, answer_id)
            return not resumed  # else somebody has deleted it, and does not want it back
        except FAILURES as failure:
            log.warning("The answer %d could not be changed: %s", answer_id, failure)
        else:
            await self._guard.write(self._answers.revise, message_id, answer_id, images)
        return True

    async def take_away_from(self, message_ids: Collection[int]) -> None:
        """Delete the answers to these messages, or what answers them in a merged one."""
        rows = {row.answer_id: row for row in await self.to(message_ids)}
        for row in rows.values():
            if await self._may_be_merged(row.answer_id):
                await self.take_parts_away(row.channel_id, row.answer_id, message_ids)
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
        await self._guard.write(self._answers.forget, answer_id)

    async def _may_be_merged(self, answer_id: int) -> bool:
        """Return whether several messages are answered there, or it is too new for that to be known."""
        if discord.utils.utcnow() - discord.utils.snowflake_time(answer_id) < NEW:
            return True
        return len(await self._guard.read(self._answers.sources, answer_id) or ()) > 1

    async def take_parts_away(self, channel_id: int, answer_id: int, gone: Collection[int]) -> bool:
        """Take the parts of these messages out of a merged answer; return False if they still stand there.

        The parts of others stay in any case.
        """
        async with self._shrinking:  # or of two at once the second would undo the first
            for pause in (*SHRINK_PAUSES, None):
                try:
                    answer = await self._message(channel_id, answer_id).fetch()
                    merged = merged_sources(answer)
                    left = without_sources(answer, gone)
                    if not left or not merged:
                        break
                    if not merged.isdisjoint(gone):
                        await answer.edit(**left)
                except discord.NotFound:
                    await self._guard.write(self._answers.forget, answer_id)
                    return True
                except FAILURES as failure:
                    if pause is None:
                        log.warning(
                            "The parts of deleted messages could not be taken out of the answer %d; the next "
                            "start tries again. %s",
                            answer_id,
                            failure,
                        )
                        return False
                    await asyncio.sleep(pause)
                else:
                    await self._guard.write(self._answers.forget_sources, answer_id, gone)
                    return True
        await self.take_away(channel_id, answer_id)
        return True

    def _message(self, channel_id: int, message_id: int) -> discord.PartialMessage:
        return self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
