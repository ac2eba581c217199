"""A worker that does as a test says, and the batcher that feeds it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from itertools import chain

from inference.results import InferenceError, ModelInfo
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
from inference.serving.verdict_cache import ImageKey
from inference.serving.worker_death import DeathCause, WorkerDied
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
    `beside`, and those after it have not begun. `cause` is why it dies, and `slow_too` what had taken long
    beside what is deadly. A start waits for `loads`, and ends with what is left in `broken`.
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
        self.cause = DeathCause.CRASHED
        self.alive = True
        self.swollen = False
        self.slow_too: set[bytes | int] = set()
        self.loads = threading.Event()
        self.loads.set()
        self.broken: list[str] = []

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
        self.starts += 1
        if not self.loads.wait(20):
            raise AssertionError("the test forgot this start")
        if self.broken:
            raise WorkerDied(DeathCause.CRASHED, self.broken.pop())
        self.swollen = False
        self.alive = True
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
                slow = frozenset(o.id for o, w in zip(batch.looks, seen, strict=True) if w in self.slow_too)
                raise WorkerDied(self.cause, "it was deadly", dict.fromkeys(in_work, 1.0), slow=slow)
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
        self.loads.set()

    def reap(self) -> None:
        self.alive = False


class BatchingScene:
    def __init__(self, crops: int = 4) -> None:
        self.worker = ScriptedWorker()
        self.second = ScriptedWorker()
        self.spare = ScriptedWorker()
        self.workers = (self.worker, self.second, self.spare)
        self.second.alive = self.spare.alive = False
        self.settled: dict[bytes, AnsweredReply | InferenceError] = {}
        self.batcher = MicroBatcher(
            self.worker,
            self.second,
            self.spare,
            ImageLanes(crops=crops, pixels=50_000_000, cores=2),
            image_seconds=1,
            on_settled=self._note,
            on_model=lambda _: None,
        )

    def _note(self, key: ImageKey, outcome: AnsweredReply | InferenceError) -> None:
        self.settled[key.digest] = outcome

    def send(
        self, *images: str | bytes, group: object = None, seconds: float = 0.05
    ) -> list[asyncio.Task[AnsweredReply]]:
        """Ask for images, each of which is expected to take so many core-seconds."""
        expected = ExpectedWork(seconds)
        contents = [image.encode() if isinstance(image, str) else image for image in images]
        return [
            asyncio.create_task(self.batcher.answer(ImageKey(data, 1), data, group, expected=expected))
            for data in contents
        ]

    async def until_in_work(self, batches: int) -> None:
        """So many batches have gone to the worker, the last of them is still there."""
        await until(lambda: len(self.worker.batches) >= batches)
        await asyncio.sleep(0.005)
