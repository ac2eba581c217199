"""Bytes wait for each other: whoever holds none goes first, and nobody can hold them all."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

import pytest

from config import settings
from inference.serving.budget import QueueBudget


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Line:
    """Those who wait for bytes, and in which order they got them."""

    def __init__(self, budget: QueueBudget) -> None:
        self._budget = budget
        self.order: list[str] = []

    def join(self, name: str, size: int, group: Hashable) -> asyncio.Task[None]:
        async def wait() -> None:
            await self._budget.reserve(size, group)
            self.order.append(name)

        return asyncio.create_task(wait())


async def test_bytes_are_given_out_in_the_order_they_were_asked_for() -> None:
    budget = QueueBudget(settings.Queue(bytes=10))
    await budget.reserve(8, "first")
    line = Line(budget)
    tasks = [line.join("large", 9, "a"), line.join("small", 1, "b")]
    await settled()
    assert line.order == []  # the small one would fit, but must not starve the large one
    budget.free(8, "first")
    await asyncio.gather(*tasks)
    assert line.order == ["large", "small"]
    assert budget.bytes == 10


async def test_who_gives_up_waiting_for_bytes_lets_the_next_one_in() -> None:
    budget = QueueBudget(settings.Queue(bytes=10))
    await budget.reserve(8, "first")
    large, small = (asyncio.create_task(budget.reserve(size, group)) for size, group in ((9, "a"), (1, "b")))
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


async def test_bytes_that_come_free_while_many_give_up_are_not_lost() -> None:
    """Bytes freed between a cancelling and its arrival raised ValueError, and took the message with it."""
    budget = QueueBudget(settings.Queue(bytes=10))
    await budget.reserve(8, "first")
    waiting = [asyncio.create_task(budget.reserve(9, group)) for group in "abc"]
    await settled()
    waiting[0].cancel()
    waiting[1].cancel()
    budget.free(8, "first")
    await waiting[2]
    outcomes = await asyncio.gather(*waiting[:2], return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    assert budget.bytes == 9


async def test_a_group_that_holds_much_does_not_make_the_others_wait() -> None:
    budget = QueueBudget(settings.Queue(bytes=64))
    line = Line(budget)
    flood = [line.join(f"flood {number}", 9, "flood") for number in range(20)]
    await settled()
    assert len(line.order) == 4
    await asyncio.wait_for(asyncio.gather(*(line.join(group, 9, group) for group in "ab")), 1)
    assert line.order[4:] == ["a", "b"]
    budget.free(27, "flood")
    await settled()
    assert line.order[6:] == ["flood 4", "flood 5"]
    for task in flood:
        task.cancel()


async def test_three_groups_that_take_all_they_can_leave_room_for_a_fourth() -> None:
    budget = QueueBudget(settings.Queue(bytes=64))
    line = Line(budget)
    floods = [line.join(group, 8, group) for _ in range(20) for group in "abc"]
    await settled()
    newcomer = line.join("newcomer", 8, "d")
    await settled()
    assert line.order[-1] == "newcomer"
    await newcomer
    for task in floods:
        task.cancel()


async def test_a_group_alone_may_hold_one_image_of_any_size_that_fits() -> None:
    budget = QueueBudget(settings.Queue(bytes=10))
    await asyncio.wait_for(budget.reserve(10, "a"), 1)
    assert budget.bytes == 10
