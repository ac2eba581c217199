"""What the comparison also has Whatsit do: name pictures, and hold a crowd of them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from inference.bench.measured_whatsit import MeasuredWhatsit
from inference.bench.measuring import clocked, read, resident_mb, stamp

PEAK_SECONDS = 0.005
"""Between two looks at the resident size."""


class ComparedWhatsit(MeasuredWhatsit):
    """Whatsit, with what only the comparison measures."""

    async def name(self, *, pictures: list[str]) -> list[str]:
        """Return the first label of each picture."""
        return [(await self._classifier.classify(data, top=1)).labels[0].name for data in read(pictures)]

    async def views(self, *, pictures: list[str]) -> float:
        """Return how many crops were looked at for an image, on average."""
        seen = [(await self._classifier.classify(data)).views for data in read(pictures)]
        return sum(seen) / len(seen)

    async def own_core_seconds(self) -> float:
        """Return the core-seconds that this process has used, without its worker's."""
        return time.process_time()

    async def flood(
        self, *, pictures: list[str], megabytes: float, start: int, count: int, guilds: int
    ) -> dict[str, Any]:
        """Classify `count` images at once; each is read from its file once it is admitted."""
        size = int(megabytes * 1e6)

        async def one(number: int) -> None:
            file = pictures[number % len(pictures)]
            async with self._classifier.admit(size, group=number % guilds) as admission:
                await admission.classify(stamp(read([file])[0], start + number))

        with clocked() as sample, _peak() as largest:
            await asyncio.gather(*(one(number) for number in range(count)))
        return sample | {"bot_peak_mb": largest[0]}


@contextmanager
def _peak() -> Iterator[list[float]]:
    """Put this process's largest resident size during the block, in megabytes, into the list."""
    largest = [0.0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(PEAK_SECONDS):
            largest[0] = max(largest[0], resident_mb(psutil.Process()))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield largest
    finally:
        over.set()
        watcher.join()
