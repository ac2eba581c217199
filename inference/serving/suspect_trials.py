"""The second worker: it tries suspects one at a time, while the first goes on for everybody else."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Hashable, Iterable

from inference.results import HarmfulImage, ModelUnavailable
from inference.serving.async_worker import AsyncWorker, BatchWorker
from inference.serving.fair_queue import FairQueue
from inference.serving.group_records import GroupRecords
from inference.serving.image_job import ImageJob, Outcome
from inference.serving.protocol import AnsweredReply, RefusedReply, WorkerReply
from inference.serving.suspicious_structures import SuspiciousStructures
from inference.serving.worker_death import DeathCause, WorkerDied

log = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
"""After so long without a suspect the second worker is ended: its model takes memory."""

SUSPICIOUS_SHARE = 0.5
"""Of the processor time that a picture may take, what a suspicious one may. The most expensive honest
pictures of 50 million pixels took 1.2 to 1.4 s (PNG, WebP, AVIF)."""


class SuspectTrials:
    """Tries images alone in a worker that is started when the first suspect comes, and ended when it idles.

    `on_tried` is told what became of each. Images that were in work when the first worker died go before
    those that only are suspicious: from a group that just posted a condemned or a surprisingly slow picture,
    or built like a condemned one and from a group of which little is known.
    """

    def __init__(
        self, worker: BatchWorker, *, image_seconds: float, on_tried: Callable[[ImageJob, Outcome], None]
    ) -> None:
        self._worker = AsyncWorker(worker, "suspect-supervisor")
        self._image_seconds = image_seconds
        self._on_tried = on_tried
        self._structures = SuspiciousStructures()
        self._groups = GroupRecords()
        self._accused: deque[ImageJob] = deque()
        self._suspicious: FairQueue[ImageJob] = FairQueue()
        self._pump: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._closed = False
        self.deaths = 0
        self.condemned = 0

    def settle_on(self, name: str) -> None:
        """Let the second worker take the model that `auto` chose for the first."""
        self._worker.settle_on(name)

    def accuse(self, job: ImageJob) -> None:
        """Try an image that was in work when the first worker died, or that got no memory there."""
        job.accused = True
        self._accused.append(job)
        self._wake()

    def takes(self, job: ImageJob) -> bool:
        """Try an image here, if it is suspicious. Returns whether it is."""
        is_alike = self._structures.is_suspicious(job.data)
        if not (self._groups.is_wary(job.group) or (is_alike and not self._groups.is_trusted(job.group))):
            return False
        job.suspicious = True
        job.begin()
        # Who only shares a server with whoever posted the condemned one does not wait for more of these.
        self._suspicious.put(job, job.group, first=not is_alike)
        self._wake()
        return True

    def answered(self, job: ImageJob) -> None:
        """Take note of an image that was answered, by whichever worker."""
        self._groups.answered(job.group)

    def drop(self, job: ImageJob) -> None:
        """Take an image that nobody waits for any more out of the line, if it only is suspicious."""
        self._suspicious.remove(job, job.group)

    def condemn(self, job: ImageJob, death: WorkerDied) -> HarmfulImage:
        """Be wary of images like this one, and of its group, and return the error to refuse it with."""
        log.warning("Refusing the image that did it (%d since the start) until the next start.", job.id)
        self.condemned += 1
        self._groups.suspect(job.group)
        self._structures.condemned(job.data, in_trial=job.suspicious)
        return HarmfulImage(f"The image cannot be looked at: {death}.", core_seconds=job.core_seconds)

    def be_wary(self, jobs: Iterable[ImageJob]) -> None:
        """Be wary of what comes from where these came from, because nothing told that they would be slow."""
        for job in jobs:
            self._groups.suspect(job.group)

    def forget_group(self, group: Hashable) -> None:
        """Forget what a group has used, unless it has images in the line."""
        self._suspicious.forget(group)

    def clear(self) -> None:
        """Forget the images that wait, because somebody else has refused them."""
        self._accused.clear()
        self._suspicious.clear()

    def end(self) -> None:
        """Kill the worker; no other is started."""
        self._closed = True
        self._worker.end()

    async def close(self) -> None:
        """Wait until the worker that was ended is gone, and with it the trial it was at."""
        if self._pump:
            await asyncio.wait([self._pump])
        if self._idle:
            self._idle.cancel()
        await self._worker.close()

    def _wake(self) -> None:
        if self._pump is None:
            self._pump = asyncio.create_task(self._work(), name="inference-suspects")

    async def _work(self) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None
        job: ImageJob | None = None
        try:
            while self._accused or self._suspicious:
                if self._accused:
                    job = self._accused.popleft()
                else:
                    job, _ = self._suspicious.pop()
                self._on_tried(job, await self._try(job))
        except BaseException as error:
            # Whether the loop is ending or this is a bug, nobody may wait for ever.
            left = [job, *self._accused] if job else list(self._accused)
            while self._suspicious:
                left.append(self._suspicious.pop()[0])
            self.clear()
            for one in left:
                self._on_tried(one, ModelUnavailable(f"The classifier stopped working: {error!r}"))
            raise
        finally:
            self._pump = None
        if not self._closed:
            self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if self._pump is None and not self._closed:
            self._pump = asyncio.create_task(self._leave(), name="inference-suspects-end")

    async def _leave(self) -> None:
        try:
            await self._worker.reap()
        finally:
            self._pump = None
        if self._accused or self._suspicious:
            self._wake()

    async def _try(self, job: ImageJob) -> Outcome:
        """Find out what becomes of an image that is alone."""
        job.in_work = True
        while not (job.suspicious and self._structures.is_refused(job.data)):
            try:
                reply = await self._look_at(job)
            except ModelUnavailable as error:
                return error
            except WorkerDied as death:
                job.begin()
                if death.cause is DeathCause.IDLE:
                    continue
                log.warning("The worker that tries suspects is gone: %s.", death)
                self.deaths += 1
                if job.died(death, alone=True):
                    return self.condemn(job, death)
            else:
                if isinstance(reply, AnsweredReply):
                    self._structures.answered(job.data)
                    return reply
                if isinstance(reply, RefusedReply):
                    return reply.error()
                job.second, job.crops = True, reply.crops
        reason = "The image cannot be looked at: others that are built like it took too long."
        return HarmfulImage(reason, core_seconds=job.core_seconds)

    async def _look_at(self, job: ImageJob) -> WorkerReply:
        if self._worker.pid is None:
            try:
                await self._worker.start()
            except WorkerDied as death:
                raise ModelUnavailable(f"The worker that was to try the image died: {death}.") from death
        share = SUSPICIOUS_SHARE if job.suspicious else 1.0
        replies: list[WorkerReply] = []
        await self._worker.look_at(
            [job], lambda _, reply: replies.append(reply), image_seconds=share * self._image_seconds
        )
        return replies[0]
