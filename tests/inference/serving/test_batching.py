"""Which images go to the worker together, in which order; with a supervisor that does as the test says."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from itertools import chain

import pytest

from inference.results import HarmfulImage, ModelUnavailable, OutOfMemory
from inference.serving.protocol import AnsweredReply
from inference.serving.worker_death import DeathCause
from tests.inference.fakes import until
from tests.inference.scripted_worker import BatchingScene


@pytest.fixture
async def scene() -> AsyncIterator[BatchingScene]:
    scene = BatchingScene()
    yield scene
    await scene.batcher.close()


async def test_an_idle_worker_takes_what_is_there_and_a_busy_one_is_given_more(scene: BatchingScene) -> None:
    tasks = scene.send("a")
    await scene.until_in_work(1)
    tasks += scene.send("b", "c", "d", "e", "f")
    await asyncio.sleep(0.01)
    assert scene.batcher.batch_sizes == {1: 1, 3: 1}  # as many as it has room for, beside the first
    scene.worker.go.release(9)
    await asyncio.gather(*tasks)
    assert scene.worker.batches[:2] == [[b"a"], [b"b", b"c", b"d"]]
    assert scene.worker.seen == [b"a", b"b", b"c", b"d", b"e", b"f"]
    assert scene.batcher.batches == len(scene.worker.batches)


async def test_what_costs_much_leaves_room_for_what_costs_little(scene: BatchingScene) -> None:
    costly = scene.send("c1", "c2", "c3", group="attacker", seconds=2)
    await scene.until_in_work(1)
    tasks = scene.send("a", "b", group="honest")
    await asyncio.sleep(0.01)
    scene.worker.go.release(1)
    await costly[0]
    scene.worker.go.release(1)
    await asyncio.gather(*tasks)
    assert scene.worker.batches[:2] == [[b"c1"], [b"a", b"b"]]
    assert scene.worker.requests[0].looks[0].alone
    scene.worker.go.release(9)
    await asyncio.gather(*costly)


async def test_no_picture_waits_for_a_slow_one_on_the_same_thread(scene: BatchingScene) -> None:
    tasks = scene.send("a", group="honest") + scene.send("gif", group="attacker", seconds=0.2)
    await scene.until_in_work(1)
    scene.worker.go.release(9)
    await asyncio.gather(*tasks)
    assert [look.alone for look in scene.worker.requests[0].looks] == [False, True]


async def test_groups_take_turns_and_the_oldest_of_each_goes_first(scene: BatchingScene) -> None:
    tasks = scene.send("x")
    await scene.until_in_work(1)
    tasks += scene.send("a1", "a2", "a3", "a4", "a5", group="a")
    tasks += scene.send("b1", "b2", group="b") + scene.send("c1", group="c")
    await asyncio.sleep(0.01)
    scene.worker.go.release(9)
    await asyncio.gather(*tasks)
    assert scene.worker.seen == [b"x", b"a1", b"b1", b"c1", b"a2", b"b2", b"a3", b"a4", b"a5"]


async def test_second_looks_go_first_within_the_crops_there_are(scene: BatchingScene) -> None:
    scene.worker.unsure = {b"u": 2, b"v": 2, b"w": 6}
    tasks = scene.send("u", "v", "w", "x")
    await scene.until_in_work(1)
    tasks += scene.send("a", "b")
    scene.worker.go.release(9)
    await asyncio.gather(*tasks)
    # The last wants more crops than there is room for: it goes alone, and the worker cuts its batch in two.
    assert scene.worker.seen == [b"u", b"v", b"w", b"x", 0, 1, 2, b"a", b"b"]
    assert [2] in scene.worker.batches


async def test_a_cancelled_image_is_not_sent_and_its_second_look_is_forgotten(scene: BatchingScene) -> None:
    scene.worker.unsure = {b"u": 2, b"v": 2}
    flying = scene.send("u", "v", "w", "x")  # there is no room for more
    await scene.until_in_work(1)
    waiting = scene.send("a", "b")
    await asyncio.sleep(0.005)
    flying[0].cancel()
    waiting[0].cancel()
    await asyncio.sleep(0.005)
    scene.worker.go.release(9)
    await asyncio.gather(*flying, *waiting, return_exceptions=True)
    assert set(scene.worker.seen) == {b"u", b"v", b"w", b"x", 1, b"b"}
    assert (0,) in [request.forget for request in scene.worker.requests]


async def test_a_result_that_nobody_waits_for_any_more_is_remembered_all_the_same(
    scene: BatchingScene,
) -> None:
    tasks = scene.send("a", "b")
    await scene.until_in_work(1)
    tasks[0].cancel()
    scene.worker.go.release()
    await asyncio.gather(*tasks, return_exceptions=True)
    await tasks[1]
    assert set(scene.settled) == {b"a", b"b"}


async def test_no_task_is_left_when_there_is_no_work(scene: BatchingScene) -> None:
    before = asyncio.all_tasks()
    tasks = scene.send("a")
    scene.worker.go.release()
    await asyncio.gather(*tasks)
    await until(lambda: asyncio.all_tasks() == before)


async def test_only_what_was_in_work_at_a_death_is_tried_alone_by_the_second_worker(
    scene: BatchingScene,
) -> None:
    scene.worker.deadly = scene.second.deadly = {b"bad"}
    scene.worker.beside = {b"b"}
    tasks = scene.send("a", "b", "bad", "c")
    await scene.until_in_work(1)
    tasks += scene.send("d", "e")
    scene.worker.go.release(9)
    assert isinstance(await tasks[0], AnsweredReply)
    # Nobody but the two suspects waits for their trial, which has not begun.
    assert [type(one) for one in await asyncio.gather(tasks[3], *tasks[4:])] == [AnsweredReply] * 3
    assert scene.worker.seen == [b"a", b"b", b"bad", b"c", b"c", b"d", b"e"]
    scene.second.go.release(9)
    outcomes = await asyncio.gather(*tasks[1:3], return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [AnsweredReply, HarmfulImage]
    assert scene.second.batches == [[b"b"], [b"bad"]]
    assert isinstance(scene.settled[b"bad"], HarmfulImage)


async def test_an_unsure_suspect_stays_alone(scene: BatchingScene) -> None:
    scene.worker.deadly, scene.second.unsure = {b"u"}, {b"u": 2}
    tasks = scene.send("u")
    scene.worker.go.release(9)
    scene.second.go.release(9)
    assert isinstance(await tasks[0], AnsweredReply)
    assert scene.second.batches == [[b"u"], [0]]


async def test_a_picture_that_overran_is_condemned_without_a_trial(scene: BatchingScene) -> None:
    scene.worker.deadly, scene.worker.cause = {b"slow"}, DeathCause.OVERRAN
    tasks = scene.send("a", "slow", "b")
    scene.worker.go.release(9)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [AnsweredReply, HarmfulImage, AnsweredReply]
    assert scene.second.batches == []


async def test_deaths_that_a_picture_explains_do_not_count_against_the_breaker(scene: BatchingScene) -> None:
    names = [f"bad{number}" for number in range(8)]
    for worker in scene.workers:
        worker.deadly = {name.encode() for name in names}
        worker.go.release(99)
    for name in names:
        with pytest.raises(HarmfulImage):
            await scene.send(name)[0]
    assert isinstance(await scene.send("good")[0], AnsweredReply)


async def test_deaths_whose_suspects_have_not_been_tried_do_not_count_yet(scene: BatchingScene) -> None:
    names = [f"suspect{number}" for number in range(4)]
    for worker in (scene.worker, scene.spare):
        worker.deadly = {name.encode() for name in names}
        worker.go.release(99)
    suspects = []
    for name in names:
        suspects += scene.send(name)
        await until(lambda: name.encode() in (*scene.worker.seen, *scene.spare.seen))  # noqa: B023 - awaited here
        await until(lambda: scene.batcher.pid)
    assert isinstance(await scene.send("good")[0], AnsweredReply)

    scene.second.go.release(3)  # they survive their trials: no picture can be blamed
    outcomes = await asyncio.gather(*suspects, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [AnsweredReply] * 3 + [ModelUnavailable]
    with pytest.raises(ModelUnavailable, match="keeps dying"):
        await scene.send("another")[0]


async def test_an_accused_image_is_tried_though_nobody_waits_for_it_any_more(scene: BatchingScene) -> None:
    scene.worker.deadly = scene.second.deadly = {b"bad"}
    tasks = scene.send("bad")
    await scene.until_in_work(1)
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    scene.worker.go.release(9)
    scene.second.go.release(9)
    await until(lambda: b"bad" in scene.settled)
    assert isinstance(scene.settled[b"bad"], HarmfulImage)


async def test_second_looks_begin_again_with_a_new_worker(scene: BatchingScene) -> None:
    scene.worker.deadly, scene.worker.unsure = {1}, {b"u": 2, b"v": 2, b"w": 2}
    tasks = scene.send("u", "v", "w")
    scene.worker.go.release(9)
    scene.second.go.release(9)
    await asyncio.gather(*tasks)
    # Whether it had the last second look already when it died is chance.
    assert [one for one in scene.worker.seen if one != 2] == [b"u", b"v", b"w", 0, 1, b"w"]
    assert scene.worker.seen[-2:] == [b"w", 2]
    assert scene.second.batches == [[b"v"]]


async def test_a_bug_in_the_batcher_keeps_nobody_waiting(
    scene: BatchingScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(scene.worker, "run", broken)
    reported = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
    with pytest.raises(ModelUnavailable, match="ZeroDivisionError"):
        await scene.send("a")[0]
    monkeypatch.undo()
    scene.worker.go.release()
    assert isinstance(await scene.send("b")[0], AnsweredReply)  # and the next image is served
    gc.collect()
    assert isinstance(reported[0], ZeroDivisionError)


async def test_an_image_that_got_no_memory_is_tried_again_alone_in_another_worker(
    scene: BatchingScene,
) -> None:
    scene.worker.without_memory = [b"b"]
    waiting = scene.send("a", "b", "c")
    scene.worker.go.release(9)
    scene.second.go.release(9)
    await asyncio.gather(*waiting)
    assert list(chain.from_iterable(scene.worker.batches)) == [b"a", b"b", b"c"]
    assert scene.second.batches == [[b"b"]]
    assert scene.worker.starts == 0


async def test_an_image_that_gets_no_memory_alone_either_is_told_so(scene: BatchingScene) -> None:
    scene.worker.without_memory, scene.second.without_memory = [b"a"], [b"a"]
    scene.worker.go.release(9)
    scene.second.go.release(9)
    with pytest.raises(OutOfMemory):
        await scene.send("a")[0]
    assert scene.second.batches == [[b"a"]]


async def test_a_swollen_worker_is_replaced_when_it_has_nothing_to_do(
    scene: BatchingScene, caplog: pytest.LogCaptureFixture
) -> None:
    (waiting,) = scene.send("a")
    await scene.until_in_work(1)
    scene.worker.swollen = True
    later = scene.send("b")
    scene.worker.go.release(9)
    await asyncio.gather(waiting, *later)
    await until(lambda: scene.worker.starts == 1)
    assert scene.worker.batches == [[b"a"], [b"b"]]  # busy, it was left in peace
    assert caplog.text.count("Replacing the idle worker") == 1
    await asyncio.gather(*scene.send("c"))
    assert scene.worker.starts == 1
