"""Change the answers that stand, and take them away when their messages are gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import TypeVar

import aiohttp
import discord

from bot.delivery.channel_permissions import FAILURES
from bot.delivery.destination import message_body
from bot.delivery.outbox import merged_sources, without_sources
from bot.presentation.answer import Answer
from bot.store import Store, StoredAnswer
from bot.store.guarded import StoreGuard

__all__ = ["StandingAnswers"]

T = TypeVar("T")

log = logging.getLogger(__name__)

PASSING = (discord.DiscordServerError, discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError)
"""What discord.py raises when the same request may succeed a moment later."""
PAUSES = (1.0, 5.0, 20.0)
"""Seconds before it is tried again."""


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
    ) -> bool:
        """Put another answer to a message in the place of one that stands.

        `images` is the fingerprint of those it names. False: the answer was taken out of a merged one, and
        has to be sent anew.
        """
        answer_id = standing.answer_id
        try:
            message = self._message(standing.channel_id, answer_id)
            if await self._is_merged(answer_id) and message_id in merged_sources(await message.fetch()):
                return not await self._shrink(standing.channel_id, answer_id, [message_id])
            await message.edit(**message_body(answer, embeds=embeds), view=view)
        except discord.NotFound:  # somebody has deleted it, and does not want it back
            await self._guard.write(self._answers.forget, answer_id)
        except FAILURES as failure:
            log.warning("The answer %d could not be changed: %s", answer_id, failure)
        else:
            await self._guard.write(self._answers.revise, message_id, answer_id, images)
        return True

    async def take_away_from(self, message_ids: Collection[int]) -> None:
        """Delete the answers to these messages, or what answers them in a merged one."""
        rows = {row.answer_id: row for row in await self.to(message_ids)}
        for row in rows.values():
            if await self._is_merged(row.answer_id):
                await self._shrink(row.channel_id, row.answer_id, message_ids)
            else:
                await self.take_away(row.channel_id, row.answer_id)

    async def take_away(self, channel_id: int, answer_id: int) -> None:
        """Delete an answer whose picture is gone."""
        try:
            await _persistently(self._message(channel_id, answer_id).delete)
        except discord.NotFound:
            log.debug("The answer %d is gone already", answer_id)
        except FAILURES as failure:
            log.warning("The answer %d to a deleted message could not be deleted: %s", answer_id, failure)
            return
        await self._guard.write(self._answers.forget, answer_id)

    async def _is_merged(self, answer_id: int) -> bool:
        return len(await self._guard.read(self._answers.sources, answer_id) or ()) > 1

    async def _shrink(self, channel_id: int, answer_id: int, gone: Collection[int]) -> bool:
        """Take what answers these messages out of a merged answer; return False if it still stands there."""
        try:
            left = await _persistently(partial(self._edit_without, channel_id, answer_id, gone))
        except PASSING as failure:
            log.warning(
                "The answer %d could not be made shorter and stays as it is until the next start: %s",
                answer_id,
                failure,
            )
            return False
        except FAILURES as failure:
            log.debug("The answer %d cannot be made shorter: %s", answer_id, failure)
            left = False
        if left:
            await self._guard.write(self._answers.forget_sources, answer_id, gone)
        else:
            await self.take_away(channel_id, answer_id)
        return True

    async def _edit_without(self, channel_id: int, answer_id: int, gone: Collection[int]) -> bool:
        """Edit a merged answer; return False if nothing is left of it."""
        async with self._shrinking:  # or of two at once the second would undo the first
            answer = await self._message(channel_id, answer_id).fetch()
            left = without_sources(answer, gone)
            if not left or merged_sources(answer).isdisjoint(gone):
                return False
            await answer.edit(**left)
            return True

    def _message(self, channel_id: int, message_id: int) -> discord.PartialMessage:
        return self._client.get_partial_messageable(channel_id).get_partial_message(message_id)


async def _persistently(request: Callable[[], Awaitable[T]]) -> T:
    """Return what a request to Discord does, and try it again where that fails for a passing reason."""
    for pause in PAUSES:
        try:
            return await request()
        except PASSING as failure:
            log.info("A request failed and is tried again in %g s: %s", pause, failure)
            await asyncio.sleep(pause)
    return await request()
