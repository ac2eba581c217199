"""Which images go to the worker together, in which order; with a supervisor that does as the test says."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import chain

import pytest

from inference.results import HarmfulImage, InferenceError, ModelInfo, ModelUnavailable, OutOfMemory
from inference.serving.batch_inbox import Batch, BatchInbox
from inference.serving.batching import MicroBatcher
from inference.serving.expected_work import ExpectedWork
from inference.serving.image_lanes import ImageLanes
from inference.serving.protocol import (
    AnsweredReply,
    BatchRequest,
    LookRequest,
    RefusedReply,
    UnsureReply,
    WorkerReply,
)
from inference.serving.supervisor import DeathCause, WorkerDied
from inference.serving.verdict_cache import ImageKey
from tests.inference.fakes import until

INFO = ModelInfo("m", "e", 1, 1, None, "0", 1)


def answered(look: LookRequest) -> AnsweredReply:
    return AnsweredReply(
        id=look.id,
        labels=(("a", 0, 1.0, None),),
        size=(1, 1),
        views=1,
        decode_ms=0,
        predict_ms=0,
        core_seconds=0.05,
    )


class ScriptedWorker:
    """Each batch waits for `go`. `unsure`: the crops of a picture's second look; `deadly`: what kills.

    Of a batch with something deadly, the images before it are answered, it is in work, as is what is in
    `beside`, and those after it have not begun. `overrunning`: it is known to have taken too long.
    """

    def __init__(self) -> None:
        self.starts = 0
        self.resident_bytes = 0
        self.go = threading.Semaphore(0)
        self.batches: list[list[bytes | int]] = []
        self.requests: list[BatchRequest] = []
        self.unsure: dict[bytes, int] = {}
        self.deadly: set[bytes | int] = set()
        self.without_memory: list[bytes | int] = []
        self.beside: set[bytes | int] = set()
        self.overrunning = False
        self.alive = True
        self.swollen = False

    @property
    def pid(self) -> int | None:
        return 1 if self.alive else None

    @property
    def seen(self) -> list[bytes | int]:
        """All that was handed over, in order: the bytes of first looks, the ids of second ones."""
        return list(chain.from_iterable(self.batches))

    def is_swollen(self) -> bool:
        return self.swollen

    def start(self, report: Callable[[str, float | None], None]) -> ModelInfo:
        self.swollen = False
        self.alive = True
        self.starts += 1
        return INFO

    def settle_on(self, name: str) -> None:
        """There is one model."""

    def run(
        self,
        batch: BatchRequest,
        pictures: Sequence[bytes],
        report: Callable[[Sequence[WorkerReply]], None],
        *,
        image_seconds: float,
        inbox: BatchInbox,
    ) -> None:
        todo = [Batch(batch, pictures)]
        while todo or not inbox.close_if_empty():
            for request, bytes_ in todo:
                self._look(request, bytes_, report)
            todo = inbox.take()

    def _look(
        self, batch: BatchRequest, pictures: Sequence[bytes], report: Callable[[Sequence[WorkerReply]], None]
    ) -> None:
        left = iter(pictures)
        seen: list[bytes | int] = [look.id if look.second else next(left) for look in batch.looks]
        self.batches.append(seen)
        self.requests.append(batch)
        if not self.go.acquire(timeout=20):
            raise AssertionError("the test forgot this batch")
        for look, what in zip(batch.looks, seen, strict=True):
            if what in self.deadly:
                self.alive = False
                in_work = [
                    look.id,
                    *(o.id for o, w in zip(batch.looks, seen, strict=True) if w in self.beside),
                ]
                cause = DeathCause.OVERRAN if self.overrunning else DeathCause.CRASHED
                raise WorkerDied(cause, "it was deadly", dict.fromkeys(in_work, 1.0))
            if what in self.beside:
                continue
            report([self._reply(look, what)])

    def _reply(self, look: LookRequest, what: bytes | int) -> WorkerReply:
        if what in self.without_memory:
            self.without_memory.remove(what)
            return RefusedReply(id=look.id, code="out_of_memory", message="no memory", core_seconds=0)
        if isinstance(what, bytes) and what in self.unsure:
            return UnsureReply(id=look.id, crops=self.unsure[what], core_seconds=0)
        return answered(look)

    def end(self) -> None:
        self.go.release(1000)

    def reap(self) -> int:
        self.alive = False
        return 0


class BatchingScene:
    def __init__(self, crops: int = 4) -> None:
        self.worker = ScriptedWorker()
        self.second = ScriptedWorker()
        self.second.alive = False
        self.settled: dict[bytes, AnsweredReply | InferenceError] = {}
        self.batcher = MicroBatcher(
            self.worker,
            self.second,
            ImageLanes(crops=crops, pixels=50_000_000, cores=2),
            image_seconds=1,
            on_settled=self._note,
            on_model=lambda _: None,
        )

    def _note(self, key: ImageKey, outcome: AnsweredReply | InferenceError) -> None:
        self.settled[key.digest] = outcome

    def send(
        self, *names: str, group: object = None, seconds: float = 0.05
    ) -> list[asyncio.Task[AnsweredReply]]:
        """Ask for images, each of which is expected to take so many core-seconds."""
        expected = ExpectedWork(seconds)
        return [
            asyncio.create_task(
                self.batcher.answer(ImageKey(name.encode(), 1), name.encode(), group, expected=expected)
            )
            for name in names
        ]

    async def until_in_work(self, batches: int) -> None:
        """So many batches have gone to the worker, the last of them is still there."""
        await until(lambda: len(self.worker.batches) >= batches)
        await asyncio.sleep(0.005)


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
    scene.worker.deadly, scene.worker.overrunning = {b"slow"}, True
    tasks = scene.send("a", "slow", "b")
    scene.worker.go.release(9)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [AnsweredReply, HarmfulImage, AnsweredReply]
    assert scene.second.batches == []


async def test_deaths_that_a_picture_explains_do_not_count_against_the_breaker(scene: BatchingScene) -> None:
    names = [f"bad{number}" for number in range(8)]
    scene.worker.deadly = scene.second.deadly = {name.encode() for name in names}
    scene.worker.go.release(99)
    scene.second.go.release(99)
    for name in names:
        with pytest.raises(HarmfulImage):
            await scene.send(name)[0]
    assert isinstance(await scene.send("good")[0], AnsweredReply)


async def test_deaths_whose_suspects_have_not_been_tried_do_not_count_yet(scene: BatchingScene) -> None:
    names = [f"suspect{number}" for number in range(4)]
    scene.worker.deadly = {name.encode() for name in names}
    scene.worker.go.release(99)
    suspects = []
    for number, name in enumerate(names):
        suspects += scene.send(name)
        await scene.until_in_work(1 + number)
        await until(lambda: scene.worker.alive)
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
