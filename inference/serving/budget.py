"""The limits of the queue: images, images of one group, and bytes."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Hashable

from config import settings
from inference.results import Busy, ImageTooLarge


class QueueBudget:
    """Refuses an image at once where there is no place, and has it wait where there is no room for its bytes.

    An image first takes a place (`enter`), then room for its bytes (`reserve`), first come, first served. It
    gives back both when it leaves.
    """

    def __init__(self, queue: settings.Queue) -> None:
        self._limit = queue
        self._groups: Counter[Hashable] = Counter()
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
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

    def reserve_now(self, size: int) -> bool:
        """Take room for `size` bytes if it is there and nobody waits. Returns whether it was taken."""
        if self._waiting or self.bytes + size > self._limit.bytes:
            return False
        self.bytes += size
        return True

    async def reserve(self, size: int) -> None:
        """Wait for room for `size` bytes. Cancelling gives up the place in the line."""
        if self.reserve_now(size):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.free(size)  # it had been given room in the same moment
            else:
                self._waiting.remove((size, turn))
                self._let_in()
            raise

    def resize(self, reserved: int, size: int) -> None:
        """Count `size` bytes in place of the `reserved` ones, without waiting: they are here already."""
        self.bytes += size - reserved
        self._let_in()

    def free(self, size: int) -> None:
        """Give room back, and let in whoever waits for it."""
        self.bytes -= size
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self.bytes + self._waiting[0][0] <= self._limit.bytes:
            size, turn = self._waiting.popleft()
            if not turn.done():
                self.bytes += size
                turn.set_result(None)
