"""What the comparison also has Whatsit do: name pictures, hold a crowd, and answer downloads."""

from __future__ import annotations

import asyncio
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from inference.bench.load import drive, stamp
from inference.bench.measured_whatsit import MeasuredWhatsit
from inference.bench.sampling import clocked, read, resident_mb

__all__ = ["ComparedWhatsit"]

CHUNK_BYTES = 64 * 1024
"""One read of a pretended download."""

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

    async def flood(
        self, *, pictures: list[str], megabytes: float, start: int, count: int, guilds: int
    ) -> dict[str, Any]:
        """Classify `count` images at once; each is fetched (from its file, in pieces) once it is admitted."""
        size = int(megabytes * 1e6)

        async def one(number: int) -> None:
            file = pictures[number % len(pictures)]
            async with self._classifier.admit(size, group=number % guilds) as admission:
                await admission.classify(await _fetch_file(file, start + number))

        with clocked() as sample, _peak() as largest:
            await asyncio.gather(*(one(number) for number in range(count)))
        return sample | {"bot_peak_mb": largest[0]}

    async def fetched(self, *, urls: list[str], in_flight: int) -> dict[str, Any]:
        """Download images by HTTP and classify them: `named` maps each address to its first label."""
        sizes: list[int] = []
        named: dict[str, str] = {}

        async def fetch_and_classify(url: bytes) -> None:
            data = await asyncio.to_thread(_fetch_url, url.decode())
            sizes.append(len(data))
            named[url.decode()] = (await self._classifier.classify(data, top=1)).labels[0].name

        with clocked() as sample:
            await drive(fetch_and_classify, iter([url.encode() for url in urls]), in_flight)
        return sample | {"bytes": sum(sizes), "named": [named[url] for url in urls]}


async def _fetch_file(file: str, number: int) -> bytes:
    """Read a file as the bot's downloader brings it: chunk by chunk on the loop, into one growing buffer.

    Its number goes into the first chunk; the file is in the system's cache, so reading waits for nothing.
    """
    buffer = bytearray()
    with open(file, "rb") as source:  # noqa: ASYNC230, PTH123 - see above
        buffer += stamp(source.read(CHUNK_BYTES), number)
        while chunk := source.read(CHUNK_BYTES):
            buffer += chunk
            await asyncio.sleep(0)
    return bytes(buffer)


def _fetch_url(url: str) -> bytes:
    with urllib.request.urlopen(url) as response:  # noqa: S310 - the benchmark's own server
        body: bytes = response.read()
    return body


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
