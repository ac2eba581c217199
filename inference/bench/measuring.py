"""What a measured system needs: images with bytes of their own, so many in flight, and what they cost.

Imports nothing heavy: the process that stands for the bot has it.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psutil

PLACE = b"whatsit-bench-number-0000000000000000"
"""What a WebP carries as its XMP, for `stamp` to write the number over."""

BEAT_SECONDS = 0.001


class MeasuredSystem:
    """A system in a process of its own; the benchmark calls its methods by name."""

    async def open(self) -> dict[str, Any]:
        """Get ready, and return what there is to say of it."""
        return {}

    async def close(self) -> None:
        """Give back what it holds."""


async def drive(
    answer: Callable[[bytes], Awaitable[object]], pictures: Iterator[bytes], in_flight: int
) -> list[float]:
    """Have every picture answered, `in_flight` at a time, and return the milliseconds that each took.

    The first failure ends the measurement and is raised: a figure with failed images in it would flatter.
    """
    latencies: list[float] = []

    async def lane() -> None:
        for data in pictures:  # one iterator for all lanes: the lane that is free takes the next picture
            began = time.perf_counter()
            await answer(data)
            latencies.append((time.perf_counter() - began) * 1000)

    lanes = []
    try:
        for _ in range(in_flight):
            lanes.append(asyncio.create_task(lane()))
            await asyncio.sleep(0)  # images come one by one, not hundreds in one turn of the loop
        await asyncio.gather(*lanes)
    finally:
        for task in lanes:
            task.cancel()
    return latencies


@asynccontextmanager
async def heartbeat() -> AsyncIterator[list[float]]:
    """Wake every millisecond during the block, and fill the list with how many milliseconds late that was.

    The loop's own clock is a millisecond coarse (epoll), so an idle loop shows up to one millisecond too.
    """
    late: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(BEAT_SECONDS)
            late.append((time.perf_counter() - began - BEAT_SECONDS) * 1000)

    task = asyncio.create_task(beat())
    try:
        yield late
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def unique(bases: Sequence[bytes], start: int, count: int) -> Iterator[bytes]:
    """Make `count` images with bytes of their own, from `bases` in turn; each when it is asked for."""
    for number in range(start, start + count):
        yield stamp(bases[number % len(bases)], number)


def stamp(data: bytes, number: int) -> bytes:
    """Return the same picture with `number` in its metadata; its pixels are not touched.

    Raises ValueError for bytes that `pictures.make` did not write.
    """
    note = b"whatsit-bench-number-%016x" % number
    if data.startswith(b"\xff\xd8\xff\xe0"):  # JPEG: a comment segment after the JFIF header
        at = 4 + int.from_bytes(data[4:6], "big")
        return b"".join((data[:at], b"\xff\xfe", (len(note) + 2).to_bytes(2, "big"), note, data[at:]))
    if data.startswith(b"\x89PNG\r\n\x1a\n"):  # PNG: a text chunk after IHDR, which always ends at byte 33
        chunk = b"tEXtComment\0" + note
        size = (len(chunk) - 4).to_bytes(4, "big")
        return b"".join((data[:33], size, chunk, zlib.crc32(chunk).to_bytes(4, "big"), data[33:]))
    at = data.rfind(PLACE)
    if at < 0:
        raise ValueError("not a picture that the benchmark made: there is no place for its number")
    return b"".join((data[:at], note, data[at + len(PLACE) :]))


def own_processes() -> list[psutil.Process]:
    """List this process and every process below it."""
    own = psutil.Process()
    return [own, *own.children(recursive=True)]


@contextmanager
def clocked() -> Iterator[dict[str, Any]]:
    """Fill in the block's `seconds`, and the `core_seconds` of this process and those below it."""
    sample: dict[str, Any] = {}
    began, used = time.perf_counter(), _core_seconds()
    yield sample
    sample["seconds"] = time.perf_counter() - began
    sample["core_seconds"] = _core_seconds() - used


def resident_mb(process: psutil.Process) -> float:
    """Return the resident size in megabytes (10^6 bytes)."""
    return float(process.memory_info().rss) / 1e6


def read(pictures: list[str]) -> list[bytes]:
    """Read the files' bytes."""
    return [Path(picture).read_bytes() for picture in pictures]


def _core_seconds() -> float:
    return sum(times.user + times.system for times in (process.cpu_times() for process in own_processes()))
