"""What this run remembers of messages: which are taken up, which are gone, and which images they had."""

from __future__ import annotations

import datetime
import hashlib
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Generic, TypeVar

import discord

from bot.intake.message_images import Source

__all__ = ["Recent", "fingerprint"]

REMEMBERED = 10_000
"""Messages remembered of each kind; the oldest are forgotten."""

CLOCKS = datetime.timedelta(seconds=60)
"""By so much Discord's clock, from which ids are made, may be ahead of this machine's."""

V = TypeVar("V")


class _Memory(OrderedDict[int, V], Generic[V]):
    """Of the messages last written here."""

    forgotten = 0
    """The newest message that was forgotten."""

    def keep(self, message_id: int, value: V) -> None:
        self[message_id] = value
        self.move_to_end(message_id)
        while len(self) > REMEMBERED:
            self.forgotten = max(self.forgotten, self.popitem(last=False)[0])


class Recent:
    """Belongs to one run; what must outlive it is in the store."""

    def __init__(self) -> None:
        self._begun = discord.utils.time_snowflake(discord.utils.utcnow() + CLOCKS)
        self._claimed: _Memory[None] = _Memory()
        self._deleted: _Memory[None] = _Memory()
        self._images: _Memory[int] = _Memory()

    def claim(self, message_id: int) -> bool:
        """Whether nobody has taken this message up yet; from now on somebody has."""
        if message_id in self._claimed:
            return False
        self._claimed.keep(message_id, None)
        return True

    def release(self, message_id: int) -> None:
        """It is not answered after all, and may be."""
        self._claimed.pop(message_id, None)

    def delete(self, message_ids: Collection[int]) -> None:
        """These messages are gone."""
        for message_id in message_ids:
            self._deleted.keep(message_id, None)

    def is_deleted(self, message_ids: Collection[int]) -> bool:
        """Whether one of them is."""
        return not self._deleted.keys().isdisjoint(message_ids)

    def saw(self, message_id: int, images: Sequence[Source]) -> None:
        """A message has these images now."""
        self._images.keep(message_id, fingerprint(images))

    def images(self, message_id: int) -> int | None:
        """The fingerprint of the images that a message had; None if that is not known."""
        had = self._images.get(message_id)
        return 0 if had is None and self.is_whole(message_id) else had

    def is_whole(self, message_id: int) -> bool:
        """Whether all of this message's life is remembered: surely of this run, and not too long ago."""
        return message_id > max(self._begun, self._claimed.forgotten, self._images.forgotten)


def fingerprint(images: Sequence[Source]) -> int:
    """Tells whether a message still has the same images, in 63 bits; 0 for none."""
    if not images:
        return 0
    # What stands after the question mark is a signature that Discord renews.
    names = "\n".join(image.url.partition("?")[0] for image in images)
    return int.from_bytes(hashlib.sha256(names.encode()).digest()[:8], "big") >> 1
