"""Work in hand is finished before the bot leaves, and what takes too long is cancelled."""

from __future__ import annotations

import asyncio

import pytest

from bot.work_in_hand import WorkInHand


@pytest.fixture
def work_in_hand() -> WorkInHand:
    return WorkInHand()


async def test_work_in_hand_is_waited_for(work_in_hand: WorkInHand) -> None:
    done = asyncio.Event()

    async def work() -> None:
        with work_in_hand.hold(), work_in_hand.hold():
            await asyncio.sleep(0.01)
            done.set()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    assert await work_in_hand.finish(within=10) == 0
    assert done.is_set()
    await task


async def test_what_takes_longer_is_cancelled_and_counted(work_in_hand: WorkInHand) -> None:
    async def work() -> None:
        with work_in_hand.hold():
            await asyncio.sleep(600)

    tasks = [asyncio.create_task(work()) for _ in range(3)]
    await asyncio.sleep(0)
    assert await work_in_hand.finish(within=0.01) == 3
    assert all(task.cancelled() for task in tasks)


async def test_work_that_fails_is_finished_too(work_in_hand: WorkInHand) -> None:
    async def work() -> None:
        with work_in_hand.hold():
            await asyncio.sleep(0.01)
            raise ZeroDivisionError

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    assert await work_in_hand.finish(within=10) == 0
    with pytest.raises(ZeroDivisionError):
        await task


async def test_while_it_finishes_cogs_know(work_in_hand: WorkInHand) -> None:
    known: list[bool] = []

    async def work() -> None:
        with work_in_hand.hold():
            known.append(work_in_hand.stopping)
            await asyncio.sleep(0.01)
            known.append(work_in_hand.stopping)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await work_in_hand.finish(within=10)
    await task
    assert known == [False, True]


async def test_idle_it_need_not_wait(work_in_hand: WorkInHand) -> None:
    assert await work_in_hand.finish(within=600) == 0


def test_only_a_task_can_hold_work(work_in_hand: WorkInHand) -> None:
    with pytest.raises(RuntimeError), work_in_hand.hold():
        pytest.fail("there is no task to wait for")
