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


async def test_the_work_of_one_owner_is_stopped_and_its_task_goes_on(work_in_hand: WorkInHand) -> None:
    done: list[str] = []

    async def work(name: str, *owners: int | None) -> None:
        with work_in_hand.of(*owners):
            await asyncio.sleep(600 if name == "stopped" else 0.01)
            done.append(f"{name}: to the end")
        await asyncio.sleep(0)
        done.append(name)

    tasks = [asyncio.create_task(work("stopped", 1, 2)), asyncio.create_task(work("other", 3, None))]
    await asyncio.sleep(0)
    await work_in_hand.stop(2)
    await asyncio.gather(*tasks)
    assert done == ["stopped", "other: to the end", "other"]
    assert not any(task.cancelled() or task.cancelling() for task in tasks)


async def test_what_lets_go_slowly_is_waited_for(work_in_hand: WorkInHand) -> None:
    struck_out = False

    async def work() -> None:
        nonlocal struck_out
        with work_in_hand.of(1):
            try:
                await asyncio.sleep(600)
            finally:
                await asyncio.sleep(0.01)
                struck_out = True

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await work_in_hand.stop(1)
    assert struck_out
    await task


async def test_a_task_that_is_cancelled_by_others_too_ends(work_in_hand: WorkInHand) -> None:
    async def work() -> None:
        with work_in_hand.of(1):
            await asyncio.sleep(600)
        await asyncio.sleep(600)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    stopping = asyncio.create_task(work_in_hand.stop(1))
    await asyncio.sleep(0)
    task.cancel()
    await stopping
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_stops_work_of_their_own_is_not_stopped(work_in_hand: WorkInHand) -> None:
    with work_in_hand.of(1):
        await work_in_hand.stop(1)
    current = asyncio.current_task()
    assert current is not None
    assert not current.cancelling()
