"""The limits of the queue: images, images of one group, and bytes."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Hashable
from typing import NamedTuple

from config import settings
from inference.results import Busy, ImageTooLarge


class _Turn(NamedTuple):
    """A place in the line of a group for `size` bytes; `number` counts all that have waited."""

    number: int
    size: int
    granted: asyncio.Future[None]


class QueueBudget:
    """Refuses an image at once where there is no place, and has it wait where there is no room for its bytes.

    An image first takes a place (`enter`), then room for its bytes (`reserve`). It gives back both when it
    leaves. Each group has a line of its own: whoever holds nothing goes first, and a group that holds
    something leaves as much room as it holds, so that none can make the others wait.
    """

    def __init__(self, queue: settings.Queue) -> None:
        self._limit = queue
        self._groups: Counter[Hashable] = Counter()
        self._held: Counter[Hashable] = Counter()
        self._lines: dict[Hashable, deque[_Turn]] = {}
        self._numbers = itertools.count()
        self.images = 0
        self.bytes = 0

    def enter(self, size: int, group: Hashable) -> None:
        """Take a place. Raises Busy where there is none, ImageTooLarge where `size` bytes never fit."""
        if size > self._limit.bytes:
            raise ImageTooLarge(
                f"The image has {size:,} bytes; all together may have {self._limit.bytes:,} (queue.bytes)."
            )
        if self.images >= self._limit.images:
            raise Busy(f"{self.images} images are waiting already (queue.images); try again in a moment.")
        if self._groups[group] >= self._limit.images_per_guild:
            raise Busy(
                f"{self._groups[group]} images from here are waiting already (queue.images_per_guild)."
            )
        self.images += 1
        self._groups[group] += 1

    def leave(self, group: Hashable) -> None:
        """Give the place back."""
        self.images -= 1
        self._groups[group] -= 1
        if not self._groups[group]:
            del self._groups[group]

    def reserve_now(self, size: int, group: Hashable = None) -> bool:
        """Take room for `size` bytes if it is there and nobody waits. Returns whether it was taken."""
        if self._lines or not self._fits(size, group):
            return False
        self._take(size, group)
        return True

    async def reserve(self, size: int, group: Hashable = None) -> None:
        """Wait for room for `size` bytes. Cancelling gives up the place in the line."""
        turn = _Turn(next(self._numbers), size, asyncio.get_running_loop().create_future())
        self._lines.setdefault(group, deque()).append(turn)
        self._let_in()
        try:
            await turn.granted
        except asyncio.CancelledError:
            if not turn.granted.cancelled():
                self.free(size, group)  # it had been given room in the same moment
            else:
                self._let_in()
            raise

    def resize(self, reserved: int, size: int, group: Hashable = None) -> None:
        """Count `size` bytes in place of the `reserved` ones, without waiting: they are here already."""
        self._take(size - reserved, group)
        self._let_in()

    def free(self, size: int, group: Hashable = None) -> None:
        """Give room back, and let in whoever waits for it."""
        self._take(-size, group)
        self._let_in()

    def _take(self, size: int, group: Hashable) -> None:
        self.bytes += size
        self._held[group] += size
        if not self._held[group]:
            del self._held[group]

    def _fits(self, size: int, group: Hashable) -> bool:
        free, held = self._limit.bytes - self.bytes, self._held[group]
        return size <= free and (not held or held + size <= free)

    def _let_in(self) -> None:
        """Let in whoever fits: the groups that hold least first, and in each who has waited longest."""
        while found := self._next():
            group, turn = found
            self._leave_line(group)
            self._take(turn.size, group)
            turn.granted.set_result(None)

    def _next(self) -> tuple[Hashable, _Turn] | None:
        """Return who is to be let in now, None where nobody is."""
        for group in list(self._lines):
            while group in self._lines and self._lines[group][0].granted.done():
                self._leave_line(group)  # whoever gave up
        for group in sorted(self._lines, key=lambda one: (self._held[one], self._lines[one][0].number)):
            turn = self._lines[group][0]
            if self._fits(turn.size, group):
                return group, turn
            if not self._held[group]:
                return None  # a large one must not starve
        return None

    def _leave_line(self, group: Hashable) -> None:
        self._lines[group].popleft()
        if not self._lines[group]:
            del self._lines[group]
