"""The micro-batcher: which images the worker looks at next, and what becomes of them when it dies.

There is no timer: an idle worker takes what is there at once, and while it works, images queue. One batch is
in flight, and it is bounded in crops.

When a worker dies, the images that it was looking at are suspects. Each is tried again alone, and then gets
its labels or is condemned (`ImageJob.died`). Deaths that condemned no image count against the breaker, except
those of an idle worker that had answered before: nobody lost anything by them.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, Protocol, TypeVar

from inference.results import HarmfulImage, InferenceError, ModelInfo, ModelUnavailable
from inference.serving.breaker import CircuitBreaker
from inference.serving.fair_queue import FairQueue
from inference.serving.image_job import ImageJob, OnCost, Outcome
from inference.serving.protocol import AnsweredReply, BatchRequest, LookRequest, RefusedReply, WorkerReply
from inference.serving.supervisor import DeathCause, WorkerDied
from inference.serving.verdict_cache import ImageKey

__all__ = ["CLOSED", "MicroBatcher"]

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

CLOSED = "The classifier has been closed."


class BatchWorker(Protocol):
    """What the batcher needs of a `WorkerSupervisor`, whose docstrings hold."""

    starts: int

    @property
    def pid(self) -> int | None: ...
    def start(self, report: Callable[[str, float | None], None]) -> ModelInfo: ...
    def run(self, batch: BatchRequest, pictures: Sequence[bytes]) -> tuple[WorkerReply, ...]: ...
    def end(self) -> None: ...
    def reap(self) -> int: ...


class MicroBatcher:
    """Feeds one worker, `crops` crops at a time, from a fair queue.

    `on_settled` is told what the worker's answer or its death decided of an image, `on_model` which model a
    new worker has loaded.
    """

    def __init__(
        self,
        worker: BatchWorker,
        crops: int,
        *,
        on_settled: Callable[[ImageKey, Outcome], None],
        on_model: Callable[[ModelInfo], None],
    ) -> None:
        self._worker = worker
        self._crops = crops
        self._on_settled = on_settled
        self._on_model = on_model
        self._thread = ThreadPoolExecutor(1, "worker-supervisor")
        self._breaker = CircuitBreaker()
        self._numbers = itertools.count()
        self._jobs: dict[ImageKey, ImageJob] = {}
        self._fresh: FairQueue[ImageJob] = FairQueue()
        self._unsure: deque[ImageJob] = deque()
        self._suspects: deque[ImageJob] = deque()
        self._forgotten: list[int] = []
        self._pump: asyncio.Task[None] | None = None
        self._proven = False
        self._closed = False
        self.batches = 0

    @property
    def pid(self) -> int | None:
        """The process id of the worker, None where there is none now."""
        return self._worker.pid

    @property
    def restarts(self) -> int:
        """How many workers had to be replaced."""
        return max(self._worker.starts - 1, 0)

    def check(self) -> None:
        """Raise ModelUnavailable where a new image would be refused."""
        if self._closed:
            raise ModelUnavailable(CLOSED)
        self._breaker.check(working=bool(self._jobs))

    async def start(self, report: Callable[[str, float | None], None]) -> None:
        """Start the first worker. Raises ModelUnavailable if it has no model, WorkerDied if it dies."""
        self._on_model(await self._in_thread(self._worker.start, report))

    async def answer(
        self, key: ImageKey, data: bytes, group: Hashable, on_cost: OnCost | None = None
    ) -> AnsweredReply:
        """Wait for the labels of an image, and return them. Images with the same key are looked at once.

        Cancelling takes the image out of the queue, unless somebody else waits for it too. `on_cost` is told
        the core-seconds that the image took, if nobody had asked for it before. Raises ModelUnavailable, or
        what the worker's answer or death says of the image.
        """
        job = self._jobs.get(key)
        if job is None:
            self.check()
            job = self._jobs[key] = ImageJob(next(self._numbers), key, data, group, on_cost)
            self._fresh.put(job, group)
            if self._pump is None:
                self._pump = asyncio.create_task(self._work(), name="inference-batches")
        waiter: asyncio.Future[AnsweredReply] = asyncio.get_running_loop().create_future()
        job.waiters.add(waiter)
        try:
            return await waiter
        finally:
            job.waiters.discard(waiter)
            if not job.waiters and self._jobs.get(key) is job:
                self._drop(job)

    async def close(self) -> None:
        """Kill the worker and refuse what is left; this takes as long as a process takes to die."""
        if self._closed:
            return
        self._closed = True
        self._worker.end()
        self._refuse_all(ModelUnavailable(CLOSED))
        if self._pump:
            await asyncio.wait([self._pump])
        await self._in_thread(self._worker.reap)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **_: P.kwargs) -> T:
        """Run one of the worker's blocking calls on the thread that is for them."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call, *args)
        except asyncio.CancelledError:
            self._worker.end()  # or the thread would go on with it, and the program could not leave
            raise

    async def _work(self) -> None:
        """Send batches as long as there are images."""
        try:
            while batch := self._take():
                if self._worker.pid is not None or await self._replace():
                    await self._look_at(batch)
        except BaseException as error:
            # Whether the loop is ending or this is a bug, nobody may wait for ever.
            self._refuse_all(ModelUnavailable(f"The classifier stopped working: {error!r}"))
            raise
        finally:
            self._pump = None

    def _take(self) -> list[ImageJob]:
        """Take the next batch: a suspect alone, or else second looks and then new images in turn."""
        if self._suspects:
            return [self._suspects.popleft()]
        batch: list[ImageJob] = []
        room = self._crops
        while room > 0 and (self._unsure or self._fresh):
            if batch and self._unsure and self._unsure[0].crops > room:
                break
            if self._unsure:
                job = self._unsure.popleft()
            else:
                job, job.estimate = self._fresh.pop()
            batch.append(job)
            room -= job.crops
        return batch

    async def _look_at(self, batch: list[ImageJob]) -> None:
        looks = tuple(
            LookRequest(
                id=job.id, ranked=job.key.ranked, second=job.second, size=0 if job.second else len(job.data)
            )
            for job in batch
        )
        request = BatchRequest(looks=looks, forget=tuple(self._forgotten))
        self._forgotten.clear()
        pictures = [job.data for job in batch if not job.second]
        try:
            replies = await self._in_thread(self._worker.run, request, pictures)
        except WorkerDied as death:
            await self._bury(batch, death)
            return
        self.batches += 1
        self._proven = True
        self._breaker.succeeded()
        for job, reply in zip(batch, replies, strict=True):
            self._take_note(job, reply)

    def _take_note(self, job: ImageJob, reply: WorkerReply) -> None:
        if isinstance(reply, AnsweredReply):
            self._settle(job, reply)
        elif isinstance(reply, RefusedReply):
            self._settle(job, reply.error())
        elif job.waiters:
            job.second, job.crops = True, reply.crops
            if job.suspect:
                self._suspects.appendleft(job)
            else:
                self._unsure.append(job)
        else:
            self._charge(job, reply.core_seconds)
            self._forgotten.append(job.id)

    async def _bury(self, batch: list[ImageJob], death: WorkerDied) -> None:
        """Find out which image of the batch killed the worker, and start another worker."""
        if self._closed:
            return
        log.warning("Replacing the worker: %s. Images in work: %d.", death, len(batch))
        for job in self._jobs.values():
            job.begin()
        if death.cause is DeathCause.IDLE:
            self._unsure.extendleft(job for job in reversed(batch) if job.waiters)
        else:
            alone = len(batch) == 1
            guilty = [job for job in batch if job.died(death, alone=alone)]
            for job in guilty:
                log.warning("Refusing the image that did it from now on: SHA-256 %s.", job.key.digest.hex())
                self._breaker.explained(job.deaths - 1)
                reason = f"The image cannot be looked at: {death}."
                self._settle(job, HarmfulImage(reason, core_seconds=job.core_seconds))
            self._suspects.extendleft(job for job in reversed(batch) if job.waiters and job not in guilty)
            for job in batch:
                if not job.waiters and job not in guilty:
                    self._charge(job, job.core_seconds)
            if guilty:
                await self._replace()
                return
        if (death.cause is DeathCause.IDLE and self._proven) or self._count_crash(death):
            await self._replace()

    async def _replace(self) -> bool:
        """Start a new worker. Returns False where that fails: the breaker is open, every image refused."""
        while not self._closed:
            try:
                self._proven = False
                self._on_model(await self._in_thread(self._worker.start, _tell_nobody))
            except WorkerDied as death:
                if not self._count_crash(death):
                    return False
            except ModelUnavailable as error:
                self._give_up(f"The worker could not be replaced: {error}")
                return False
            else:
                return True
        return False

    def _count_crash(self, death: WorkerDied) -> bool:
        """Count a death that no image explains. Returns whether to go on."""
        if not self._breaker.crashed():
            return True
        self._give_up(f"The worker keeps dying; the last time, {death}.")
        return False

    def _give_up(self, reason: str) -> None:
        log.error("%s", reason)
        self._breaker.open(reason)
        self._refuse_all(ModelUnavailable(reason))

    def _settle(self, job: ImageJob, outcome: Outcome) -> None:
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]
        self._on_settled(job.key, outcome)
        self._charge(job, outcome.core_seconds)
        job.finish(outcome)

    def _charge(self, job: ImageJob, core_seconds: float) -> None:
        """Charge an image's group and whoever asked for it with what it took, also if nobody waits for it."""
        self._fresh.charge(job.group, core_seconds, estimate=job.estimate)
        if job.on_cost:
            job.on_cost(core_seconds)

    def _refuse_all(self, error: InferenceError) -> None:
        jobs = list(self._jobs.values())
        self._jobs.clear()
        self._fresh.clear()
        self._unsure.clear()
        self._suspects.clear()
        for job in jobs:
            job.finish(error)

    def _drop(self, job: ImageJob) -> None:
        """Forget an image that nobody waits for. If it is in flight, its answer is still remembered."""
        del self._jobs[job.key]
        self._fresh.remove(job, job.group)
        for queue in (self._unsure, self._suspects):
            if job in queue:
                queue.remove(job)
                if job.second:
                    self._forgotten.append(job.id)


def _tell_nobody(stage: str, fraction: float | None) -> None:
    """Nobody watches how a replacement is loaded."""
