"""Stop the work on messages whose images are gone, and take their answers away."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from bot.answering.image_indexing import ImageIndexing
from bot.answering.message_memory import MessageMemory
from bot.delivery.standing_answers import StandingAnswers


class Retraction:
    """Knows which task works on which message."""

    def __init__(self, memory: MessageMemory, standing: StandingAnswers, indexing: ImageIndexing) -> None:
        self._memory = memory
        self._indexing = indexing
        self._standing = standing
        self._working: dict[int, asyncio.Task[object]] = {}

    @contextmanager
    def cancels_with(self, message_ids: Collection[int]) -> Iterator[None]:
        """Cancel the current task when one of these messages is deleted meanwhile: nobody waits any more."""
        task = asyncio.current_task()
        if task is not None:
            self._working |= dict.fromkeys(message_ids, task)
        try:
            yield
        finally:
            for message_id in message_ids:
                self._working.pop(message_id, None)

    async def messages_deleted(self, message_ids: Iterable[int]) -> None:
        """Stop working on deleted messages, and take their answers away."""
        message_ids = list(message_ids)
        self._memory.delete(message_ids)
        await self.images_removed(message_ids)

    async def images_removed(self, message_ids: Collection[int]) -> None:
        """Do the same for messages that stay but have no images any more."""
        for message_id in message_ids:
            if (task := self._working.get(message_id)) is not None:
                task.cancel()
        await self._indexing.forget_messages(message_ids)
        await self._standing.take_away_from(message_ids)
