"""The micro-batcher: which images the worker looks at next, and what becomes of them when it dies.

There is no timer: an idle worker takes what is there at once, and a busy one is given more as soon as it has
answered some. `inference.serving.image_lanes` says what it may have at the same time.

When a worker dies, an image that took too much processor time is condemned. Where none did, those that were
in work are suspects: each is tried alone in a second worker (`inference.serving.suspect_trials`), and so is
an image that got no memory. All others are looked at again by the replacement, which waits for no trial: a
spare that is loaded already, once there has been trouble (`inference.serving.first_worker`). A death counts
against the breaker when no image can be blamed for it, which is known once its suspects have been tried.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import Counter
from collections.abc import Callable, Hashable

from inference.results import InferenceError, ModelInfo, ModelUnavailable, OutOfMemory
from inference.serving.async_worker import BatchWorker
from inference.serving.backend import CLOSED
from inference.serving.expected_work import ExpectedWork
from inference.serving.first_worker import FirstWorker
from inference.serving.image_job import ImageJob, OnCost, Outcome
from inference.serving.image_lanes import ImageLanes
from inference.serving.open_cases import OpenCases
from inference.serving.protocol import AnsweredReply, RefusedReply, WorkerReply
from inference.serving.suspect_trials import SuspectTrials
from inference.serving.verdict_cache import ImageKey
from inference.serving.worker_death import DeathCause, WorkerDied

log = logging.getLogger(__name__)


class MicroBatcher:
    """Feeds the first worker what `lanes` allow, and the second one suspects.

    An image may take `image_seconds` of processor time. `on_settled` is told what the worker's answer or its
    death decided of an image, `on_model` which model a new worker has loaded.
    """

    def __init__(
        self,
        worker: BatchWorker,
        suspect_worker: BatchWorker,
        spare_worker: BatchWorker,
        lanes: ImageLanes,
        *,
        image_seconds: float,
        on_settled: Callable[[ImageKey, Outcome], None],
        on_model: Callable[[ModelInfo], None],
    ) -> None:
        self._first = FirstWorker(worker, spare_worker, on_model=on_model, on_broken=self._refuse_with)
        self._trials = SuspectTrials(suspect_worker, image_seconds=image_seconds, on_tried=self._tried)
        self._image_seconds = image_seconds
        self._lanes = lanes
        self._on_settled = on_settled
        self._numbers = itertools.count()
        self._jobs: dict[ImageKey, ImageJob] = {}
        self._present: dict[ImageJob, None] = {}
        self._is_feeding = self._is_topping_up = False
        self._open_cases = OpenCases()
        self._forgotten: list[int] = []
        self._pump: asyncio.Task[None] | None = None
        self._closed = False
        self.weighs_images = True
        self.batches = 0
        self.batch_sizes: Counter[int] = Counter()
        """How often so many images were handed to the worker together."""

    @property
    def pid(self) -> int | None:
        """The process id of the worker, None where there is none now."""
        return self._first.worker.pid

    @property
    def restarts(self) -> int:
        """How many workers had to be replaced."""
        return self._first.replaced + self._trials.deaths

    @property
    def condemned(self) -> int:
        """How many images were condemned."""
        return self._trials.condemned

    @property
    def breaker_open(self) -> bool:
        """Whether the breaker has opened, and no batch was answered since."""
        return self._first.breaker.is_open

    @property
    def worker_bytes(self) -> int:
        """The memory that the worker takes, 0 where there is none."""
        return self._first.worker.resident_bytes

    def check(self) -> None:
        """Raise ModelUnavailable where a new image would be refused."""
        if self._closed:
            raise ModelUnavailable(CLOSED)
        self._first.breaker.check(working=bool(self._jobs))

    async def start(self, report: Callable[[str, float | None], None]) -> None:
        """Start the first worker. Raises ModelUnavailable if it has no model, WorkerDied if it dies."""
        self._trials.settle_on((await self._first.start(report)).name)

    async def answer(
        self,
        key: ImageKey,
        data: bytes,
        group: Hashable,
        on_cost: OnCost | None = None,
        expected: ExpectedWork = ExpectedWork(),  # noqa: B008 - it is a tuple
    ) -> AnsweredReply:
        """Wait for the labels of an image, and return them. Images with the same key are looked at once.

        Cancelling takes the image out of the queue, unless somebody else waits for it too. `on_cost` is told
        the core-seconds that the image took, if nobody had asked for it before; `expected` is what its header
        promises. Raises ModelUnavailable, or what the worker's answer or death says of the image.
        """
        job = self._jobs.get(key)
        if job is None:
            self.check()
            job = self._jobs[key] = ImageJob(
                next(self._numbers), key, data, group, on_cost=on_cost, expected=expected
            )
            self._lanes.put(job)
            if self._pump is None:
                self._pump = asyncio.create_task(self._work(), name="inference-batches")
            self._top_up_soon()
        waiter: asyncio.Future[AnsweredReply] = asyncio.get_running_loop().create_future()
        job.waiters.add(waiter)
        try:
            return await waiter
        finally:
            job.waiters.discard(waiter)
            if not job.waiters and self._jobs.get(key) is job:
                self._drop(job)

    def forget_group(self, group: Hashable) -> None:
        """Forget what a group has used, unless it has images in the queue."""
        self._lanes.forget_group(group)
        self._trials.forget_group(group)

    async def close(self) -> None:
        """Kill the worker and refuse what is left; this takes as long as a process takes to die."""
        if self._closed:
            return
        self._closed = True
        self._first.end()
        self._trials.end()
        self._refuse_all(ModelUnavailable(CLOSED))
        if self._pump:
            await asyncio.wait([self._pump])
        await self._trials.close()
        await self._first.close()

    async def _work(self) -> None:
        """Send batches as long as there are images."""
        try:
            while (batch := self._take()) or self._first.worker.is_swollen():
                if not batch:
                    log.warning(
                        "Replacing the idle worker, which keeps most of the memory it may (worker.memory)."
                    )
                    await self._first.replace()
                elif self._first.worker.pid is not None or await self._first.replace():
                    await self._look_at(batch)
        except BaseException as error:
            # Whether the loop is ending or this is a bug, nobody may wait for ever.
            self._refuse_all(ModelUnavailable(f"The classifier stopped working: {error!r}"))
            raise
        finally:
            self._pump = None

    def _take(self) -> list[ImageJob]:
        """Take what the worker may have now beside what it has: second looks, and then new images in turn.

        After a death each group may have one image there, on a thread of its own, until there was peace for
        some minutes: another one who would take all threads is found out while the others go on.
        """
        batch: list[ImageJob] = []
        in_trouble = self._first.spare.is_kept
        while job := self._lanes.take(self._present, one_each=in_trouble):
            if job.second or not self._trials.takes(job):
                job.is_apart |= in_trouble
                job.in_work = True
                self._present[job] = None
                batch.append(job)
        return batch

    def _count_batch(self, size: int) -> None:
        self.batches += 1
        self.batch_sizes[size] += 1

    async def _look_at(self, batch: list[ImageJob]) -> None:
        forget, self._forgotten = self._forgotten, []
        self._is_feeding = True
        self._count_batch(len(batch))
        try:
            await self._first.look_at(
                batch, self._take_note, image_seconds=self._image_seconds, forget=forget
            )
        except WorkerDied as death:
            self._is_feeding = False
            unanswered, self._present = list(self._present), {}
            if not self._closed:
                await self._bury(unanswered, death)
        finally:
            self._is_feeding = False

    def _top_up_soon(self) -> None:
        """Give a busy worker more, once all that has just been answered or come is known."""
        if self._is_feeding and not self._is_topping_up:
            self._is_topping_up = True
            asyncio.get_running_loop().call_soon(self._top_up)

    def _top_up(self) -> None:
        self._is_topping_up = False
        if not self._is_feeding or not (batch := self._take()):
            return
        forget, self._forgotten = self._forgotten, []
        if self._first.worker.add(batch, forget=forget):
            self._count_batch(len(batch))
            return
        self._forgotten = forget  # it has just answered the last one
        for job in reversed(batch):
            del self._present[job]
            job.in_work = False
            self._lanes.put_back(job)

    def _take_note(self, job: ImageJob, reply: WorkerReply) -> None:
        job.in_work = False
        self._present.pop(job, None)
        self._first.breaker.succeeded()
        if isinstance(reply, AnsweredReply):
            self._settle(job, reply)
        elif isinstance(reply, RefusedReply):
            if reply.code == OutOfMemory.code and job.waiters:
                self._charge(job, reply.core_seconds)
                self._trials.accuse(job)
            else:
                self._settle(job, reply.error())
        elif job.waiters:
            job.second, job.crops = True, reply.crops
            self._lanes.put_second_look(job)
        else:
            self._charge(job, reply.core_seconds)
            self._forget(job)
            self._forgotten.append(job.id)
        self._top_up_soon()

    async def _bury(self, unanswered: list[ImageJob], death: WorkerDied) -> None:
        """Decide about the images that a dead worker has left, and start another worker."""
        log.warning("Replacing the worker: %s. Images in work: %d.", death, len(death.in_work))
        self._lanes.lose_second_looks()
        if self._judge(unanswered, death) or self._first.count(death):
            await self._first.replace()
        if death.cause is not DeathCause.IDLE:
            self._first.spare.prepare()

    def _judge(self, unanswered: list[ImageJob], death: WorkerDied) -> bool:
        """Condemn, accuse or put back what a dead worker left; return whether an image may have done it."""
        for job in unanswered:
            job.in_work = False
            job.begin()
        accused = [job for job in unanswered if job.id in death.in_work]
        guilty = [job for job in accused if job.died(death, alone=len(unanswered) == 1)]
        for job in guilty:
            self._settle(job, self._trials.condemn(job, death))
        if accused and not guilty:
            if death.cause is DeathCause.SLOW:
                self._trials.be_wary(accused)
            else:
                self._open_cases.open(death, accused)
            for job in accused:
                self._trials.accuse(job)
        for job in reversed(unanswered):
            if job in accused:
                continue
            if job.id in death.slow:
                self._trials.accuse(job)  # or it might end the next worker too
            elif job.waiters:
                self._lanes.put_back(job)
            else:
                self._forget(job)
                self._charge(job, job.core_seconds)
        return bool(accused)

    def _tried(self, job: ImageJob, outcome: Outcome) -> None:
        """Take note of what the second worker found out about a suspect."""
        self._settle(job, outcome)
        for death in self._open_cases.tried(job, outcome):
            self._first.count_crash(death)

    def _refuse_with(self, reason: str) -> None:
        self._refuse_all(ModelUnavailable(reason))

    def _settle(self, job: ImageJob, outcome: Outcome) -> None:
        self._forget(job)
        if isinstance(outcome, AnsweredReply):
            self._trials.answered(job)
        self._on_settled(job.key, outcome)
        self._charge(job, outcome.core_seconds)
        job.finish(outcome)

    def _charge(self, job: ImageJob, core_seconds: float) -> None:
        """Charge an image's group and whoever asked for it with what it took, also if nobody waits for it."""
        self._lanes.charge(job, core_seconds)
        if job.on_cost:
            job.on_cost(core_seconds)

    def _refuse_all(self, error: InferenceError) -> None:
        jobs = list(self._jobs.values())
        self._jobs.clear()
        self._lanes.clear()
        self._present.clear()
        self._trials.clear()
        self._open_cases.clear()
        for job in jobs:
            job.finish(error)

    def _forget(self, job: ImageJob) -> None:
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]

    def _drop(self, job: ImageJob) -> None:
        """Take an image that nobody waits for out of the queue; but what is in work, or accused, goes on."""
        if job.in_work or job.accused:
            return
        self._forget(job)
        self._lanes.remove(job)
        self._trials.drop(job)
        if job.second:
            self._forgotten.append(job.id)
