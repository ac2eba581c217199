"""Which images go to the worker together, in which order; with a supervisor that does as the test says."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from inference.results import HarmfulImage, InferenceError, ModelInfo, ModelUnavailable
from inference.serving.batching import MicroBatcher
from inference.serving.protocol import AnsweredReply, BatchRequest, LookRequest, UnsureReply, WorkerReply
from inference.serving.supervisor import DeathCause, WorkerDied
from inference.serving.verdict_cache import ImageKey
from tests.inference.fakes import until

Replies = tuple[WorkerReply, ...]
INFO = ModelInfo("m", "e", 1, 1, None, "0", 1)


def answered(look: LookRequest) -> AnsweredReply:
    return AnsweredReply(
        id=look.id,
        labels=(("a", 0, 1.0, None),),
        size=(1, 1),
        views=1,
        decode_ms=0,
        predict_ms=0,
        core_seconds=0,
    )


class ScriptedWorker:
    """Each batch waits for `go`. `unsure`: the crops of a picture's second look; `deadly`: what kills."""

    def __init__(self) -> None:
        self.starts = 0
        self.go = threading.Semaphore(0)
        self.batches: list[list[bytes | int]] = []
        self.requests: list[BatchRequest] = []
        self.unsure: dict[bytes, int] = {}
        self.deadly: set[bytes | int] = set()
        self.alive = True

    @property
    def pid(self) -> int | None:
        return 1 if self.alive else None

    def start(self, report: Callable[[str, float | None], None]) -> ModelInfo:
        self.alive = True
        self.starts += 1
        return INFO

    def run(self, batch: BatchRequest, pictures: Sequence[bytes]) -> Replies:
        left = iter(pictures)
        seen: list[bytes | int] = [look.id if look.second else next(left) for look in batch.looks]
        self.batches.append(seen)
        self.requests.append(batch)
        if not self.go.acquire(timeout=20):
            raise AssertionError("the test forgot this batch")
        if self.deadly & set(seen):
            self.alive = False
            raise WorkerDied(DeathCause.CRASHED, "it was deadly")
        return tuple(
            UnsureReply(id=look.id, crops=self.unsure[what], core_seconds=0)
            if isinstance(what, bytes) and what in self.unsure
            else answered(look)
            for look, what in zip(batch.looks, seen, strict=True)
        )

    def end(self) -> None:
        self.go.release(1000)

    def reap(self) -> int:
        return 0


class BatchingScene:
    def __init__(self, crops: int = 4) -> None:
        self.worker = ScriptedWorker()
        self.settled: dict[bytes, AnsweredReply | InferenceError] = {}
        self.batcher = MicroBatcher(self.worker, crops, on_settled=self._note, on_model=lambda _: None)

    def _note(self, key: ImageKey, outcome: AnsweredReply | InferenceError) -> None:
        self.settled[key.digest] = outcome

    def send(self, *names: str, group: object = None) -> list[asyncio.Task[AnsweredReply]]:
        return [
            asyncio.create_task(self.batcher.answer(ImageKey(name.encode(), 1), name.encode(), group))
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


async def test_an_idle_worker_takes_what_is_there_and_a_busy_one_collects(scene: BatchingScene) -> None:
    tasks = scene.send("a")
    await scene.until_in_work(1)
    tasks += scene.send("b", "c", "d", "e", "f")
    scene.worker.go.release(3)
    await asyncio.gather(*tasks)
    assert scene.worker.batches == [[b"a"], [b"b", b"c", b"d", b"e"], [b"f"]]
    assert scene.batcher.batches == 3


async def test_groups_take_turns_and_the_oldest_of_each_goes_first(scene: BatchingScene) -> None:
    tasks = scene.send("x")
    await scene.until_in_work(1)
    tasks += scene.send("a1", "a2", "a3", "a4", "a5", group="a")
    tasks += scene.send("b1", "b2", group="b") + scene.send("c1", group="c")
    await asyncio.sleep(0.01)
    scene.worker.go.release(9)
    await asyncio.gather(*tasks)
    assert scene.worker.batches[1:] == [[b"a1", b"b1", b"c1", b"a2"], [b"b2", b"a3", b"a4", b"a5"]]


async def test_second_looks_join_the_next_batch_within_its_crops(scene: BatchingScene) -> None:
    scene.worker.unsure = {b"u": 2, b"v": 2, b"w": 6}
    tasks = scene.send("u", "v", "w")
    await scene.until_in_work(1)
    tasks += scene.send("a", "b")
    scene.worker.go.release(9)
    await asyncio.gather(*tasks)
    # w wants more crops than a batch has: it goes alone, and the worker cuts its batch in two.
    assert scene.worker.batches == [[b"u", b"v", b"w"], [0, 1], [2], [b"a", b"b"]]


async def test_a_cancelled_image_is_not_sent_and_its_second_look_is_forgotten(scene: BatchingScene) -> None:
    scene.worker.unsure = {b"u": 2, b"v": 2}
    flying = scene.send("u", "v")
    await scene.until_in_work(1)
    waiting = scene.send("a", "b")
    await asyncio.sleep(0.005)
    flying[0].cancel()
    waiting[0].cancel()
    await asyncio.sleep(0.005)
    scene.worker.go.release(9)
    await asyncio.gather(*flying, *waiting, return_exceptions=True)
    assert scene.worker.batches == [[b"u", b"v"], [1, b"b"]]
    assert [request.forget for request in scene.worker.requests] == [(), (0,)]


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
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_suspects_go_alone_and_before_everybody_else(scene: BatchingScene) -> None:
    scene.worker.deadly = {b"bad"}
    tasks = scene.send("a", "bad", "c")
    await scene.until_in_work(1)
    tasks += scene.send("d", "e")
    scene.worker.go.release(9)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert scene.worker.batches == [[b"a", b"bad", b"c"], [b"a"], [b"bad"], [b"c"], [b"d", b"e"]]
    assert [type(outcome) for outcome in outcomes] == [
        AnsweredReply,
        HarmfulImage,
        AnsweredReply,
        AnsweredReply,
        AnsweredReply,
    ]
    assert isinstance(scene.settled[b"bad"], HarmfulImage)


async def test_an_unsure_suspect_stays_alone(scene: BatchingScene) -> None:
    scene.worker.deadly, scene.worker.unsure = {b"bad"}, {b"u": 2}
    tasks = scene.send("u", "bad")
    await scene.until_in_work(1)
    tasks += scene.send("d")
    scene.worker.go.release(9)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert scene.worker.batches[1:] == [[b"u"], [0], [b"bad"], [b"d"]]


async def test_second_looks_begin_again_with_a_new_worker(scene: BatchingScene) -> None:
    scene.worker.deadly, scene.worker.unsure = {1}, {b"u": 2, b"v": 2, b"w": 2}
    tasks = scene.send("u", "v", "w")
    await scene.until_in_work(1)
    scene.worker.go.release()
    await scene.until_in_work(2)
    scene.worker.go.release()
    await scene.until_in_work(3)
    scene.worker.deadly.clear()
    scene.worker.go.release(9)
    await asyncio.gather(*tasks)
    assert scene.worker.batches == [[b"u", b"v", b"w"], [0, 1], [b"u"], [0], [b"v"], [1], [b"w"], [2]]


async def test_a_bug_in_the_batcher_keeps_nobody_waiting(
    scene: BatchingScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Replies:
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
