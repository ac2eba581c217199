"""Bytes wait for each other, first come, first served."""

from __future__ import annotations

import asyncio

import pytest

from config import settings
from inference.serving.budget import QueueBudget


async def test_bytes_are_given_out_in_the_order_they_were_asked_for() -> None:
    budget = QueueBudget(settings.Queue(bytes=10))
    await budget.reserve(8)
    order: list[str] = []

    async def wait(name: str, size: int) -> None:
        await budget.reserve(size)
        order.append(name)

    tasks = [asyncio.create_task(wait(*one)) for one in (("large", 9), ("small", 1))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == []  # the small one would fit, but must not starve the large one
    budget.free(8)
    await asyncio.gather(*tasks)
    assert order == ["large", "small"]
    assert budget.bytes == 10


async def test_who_gives_up_waiting_for_bytes_lets_the_next_one_in() -> None:
    budget = QueueBudget(settings.Queue(bytes=10))
    await budget.reserve(8)
    large, small = (asyncio.create_task(budget.reserve(size)) for size in (9, 1))
    await asyncio.sleep(0)
    large.cancel()
    await small
    with pytest.raises(asyncio.CancelledError):
        await large
    assert budget.bytes == 9


async def test_cancelling_in_the_moment_of_getting_bytes_gives_them_back() -> None:
    budget = QueueBudget(settings.Queue(bytes=10))
    await budget.reserve(8)
    waiting = asyncio.create_task(budget.reserve(5))
    await asyncio.sleep(0)
    budget.free(8)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert budget.bytes == 0
