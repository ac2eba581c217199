"""What this run remembers of messages: which are taken up, which are deleted, and which images they had."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from typing import TypeVar

import discord
from cachetools import LRUCache

from bot.image_source import ImageSource, fingerprint

REMEMBERED = 10_000
"""Messages remembered of each kind; the oldest are forgotten."""

CLOCKS = datetime.timedelta(seconds=60)
"""By so much Discord's clock, from which ids are made, may be ahead of this machine's."""

V = TypeVar("V")


class _Newest(LRUCache[int, V]):
    """Values by message id, for the messages written last."""

    def __init__(self) -> None:
        super().__init__(REMEMBERED)
        self.forgotten = 0
        """The newest message that was forgotten."""

    def popitem(self) -> tuple[int, V]:
        message_id, value = super().popitem()
        self.forgotten = max(self.forgotten, message_id)
        return message_id, value


class MessageMemory:
    """Belongs to one run; what must outlive it is in the store."""

    def __init__(self) -> None:
        self._begun = discord.utils.time_snowflake(discord.utils.utcnow() + CLOCKS)
        self._claimed: _Newest[None] = _Newest()
        self._deleted: _Newest[None] = _Newest()
        self._images: _Newest[int] = _Newest()

    def claim(self, message_id: int) -> bool:
        """Take a message up; return False if somebody has done so already."""
        if message_id in self._claimed:
            return False
        self._claimed[message_id] = None
        return True

    def release(self, message_id: int) -> None:
        """Note that a message is not answered after all, and may be."""
        self._claimed.pop(message_id, None)

    def delete(self, message_ids: Collection[int]) -> None:
        """Note that these messages are deleted."""
        for message_id in message_ids:
            self._deleted[message_id] = None

    def is_deleted(self, message_ids: Collection[int]) -> bool:
        """Return whether one of these messages is deleted."""
        return any(message_id in self._deleted for message_id in message_ids)

    def saw(self, message_id: int, images: Sequence[ImageSource]) -> None:
        """Note which images a message has now."""
        self._images[message_id] = fingerprint(images)

    def images(self, message_id: int) -> int | None:
        """Return the fingerprint of the images that a message had; None if that is not known."""
        had = self._images.get(message_id)
        return 0 if had is None and self.is_whole(message_id) else had

    def is_whole(self, message_id: int) -> bool:
        """Return whether all of a message's life is remembered: it is of this run, and not too long ago."""
        return message_id > max(self._begun, self._claimed.forgotten, self._images.forgotten)
