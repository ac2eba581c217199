"""A closed loop of lanes over one system: each lane asks, waits for its answer, and asks again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

__all__ = ["BEAT", "drive", "heartbeat"]

BEAT = 0.001
"""Seconds between two beats of the heartbeat."""


async def drive(
    answer: Callable[[bytes], Awaitable[object]], pictures: Iterator[bytes], in_flight: int
) -> list[float]:
    """Have every picture answered, `in_flight` at a time; answers with the milliseconds each took.

    The first failure ends it and is raised: a figure with failed images in it would flatter.
    """
    latencies: list[float] = []

    async def lane() -> None:
        for data in pictures:  # one iterator for all lanes: whoever is free takes the next
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
    """Meanwhile a task wakes every millisecond; the list fills with how late each wake came, in milliseconds.

    The loop's own clock is a millisecond coarse (epoll), so an idle loop shows up to one millisecond too.
    """
    late: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(BEAT)
            late.append((time.perf_counter() - began - BEAT) * 1000)

    task = asyncio.create_task(beat())
    try:
        yield late
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
