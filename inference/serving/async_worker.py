"""A worker's blocking calls, awaited: each worker has a thread of its own for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from inference.results import ModelInfo
from inference.serving.batch_inbox import Batch, BatchInbox
from inference.serving.image_job import ImageJob
from inference.serving.protocol import BatchRequest, LookRequest, WorkerReply

T = TypeVar("T")


class BatchWorker(Protocol):
    """What is needed of a `WorkerSupervisor`, whose docstrings hold."""

    starts: int

    @property
    def pid(self) -> int | None: ...
    @property
    def resident_bytes(self) -> int: ...
    def is_swollen(self) -> bool: ...
    def start(self, report: Callable[[str, float | None], None]) -> ModelInfo: ...
    def settle_on(self, name: str) -> None: ...
    def run(
        self,
        batch: BatchRequest,
        pictures: Sequence[bytes],
        report: Callable[[Sequence[WorkerReply]], None],
        *,
        image_seconds: float,
        inbox: BatchInbox,
    ) -> None: ...
    def end(self) -> None: ...
    def reap(self) -> None: ...


class AsyncWorker:
    """Awaits a worker's calls, one at a time."""

    def __init__(self, worker: BatchWorker, name: str) -> None:
        self._worker = worker
        self._thread = ThreadPoolExecutor(1, name)
        self._inbox: BatchInbox | None = None
        self._jobs: dict[int, ImageJob] = {}

    @property
    def pid(self) -> int | None:
        """The process id of the worker, None where there is none now."""
        return self._worker.pid

    @property
    def resident_bytes(self) -> int:
        """The memory that the worker takes, 0 where there is none."""
        return self._worker.resident_bytes

    @property
    def starts(self) -> int:
        """How many workers were started so far."""
        return self._worker.starts

    def is_swollen(self) -> bool:
        """Return whether the worker should be replaced when it is idle, for the memory that it keeps."""
        return self._worker.is_swollen()

    async def start(self, report: Callable[[str, float | None], None] | None = None) -> ModelInfo:
        """Start a worker. Raises ModelUnavailable if it has no model, WorkerDied if it dies."""
        return await self._call(self._worker.start, report or _tell_nobody)

    def settle_on(self, name: str) -> None:
        """Let every later worker take this model where `auto` is asked for."""
        self._worker.settle_on(name)

    async def look_at(
        self,
        batch: Sequence[ImageJob],
        report: Callable[[ImageJob, WorkerReply], None],
        *,
        image_seconds: float,
        forget: Sequence[int] = (),
    ) -> None:
        """Have a batch of images looked at, and what is `add`ed meanwhile.

        `report` gets each reply, on the event loop, before this returns. `forget` are the ids of images whose
        second look nobody wants any more. Raises WorkerDied.
        """
        loop = asyncio.get_running_loop()
        self._jobs = {}
        request, pictures = self._batch(batch, forget)
        inbox = self._inbox = BatchInbox()

        def deliver(replies: Sequence[WorkerReply]) -> None:
            loop.call_soon_threadsafe(report_all, replies)

        def report_all(replies: Sequence[WorkerReply]) -> None:
            for reply in replies:
                report(self._jobs.pop(reply.id), reply)

        def run() -> None:
            try:
                self._worker.run(request, pictures, deliver, image_seconds=image_seconds, inbox=inbox)
            finally:
                inbox.close()

        try:
            await self._call(run)
        finally:
            self._inbox = None

    def add(self, batch: Sequence[ImageJob], *, forget: Sequence[int] = ()) -> bool:
        """Have more looked at by `look_at`; return False where it is over, or about to be."""
        return self._inbox is not None and self._inbox.put(self._batch(batch, forget))

    def _batch(self, jobs: Sequence[ImageJob], forget: Sequence[int]) -> Batch:
        self._jobs.update((job.id, job) for job in jobs)
        looks = tuple(
            LookRequest(
                id=job.id,
                ranked=job.key.ranked,
                second=job.second,
                alone=job.is_apart and not job.second,
                patient=job.is_heavy or job.is_costly or job.accused or job.suspicious,
                size=0 if job.second else len(job.data),
                features=job.key.features,
                explain=job.key.explain,
            )
            for job in jobs
        )
        pictures = [job.data for job in jobs if not job.second]
        return Batch(BatchRequest(looks=looks, forget=tuple(forget)), pictures)

    async def reap(self) -> None:
        """End the worker; another may be started later."""
        await self._call(self._worker.reap)

    def end(self) -> None:
        """Kill the worker now, and never start another."""
        self._worker.end()

    async def close(self) -> None:
        """Wait until the worker that was ended is gone."""
        await self.reap()
        self._thread.shutdown(wait=False)

    async def _call(self, call: Callable[..., T], *args: object) -> T:
        """Run one of the worker's blocking calls on the thread that is for them."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call, *args)
        except asyncio.CancelledError:
            self._worker.end()  # or the thread would go on with it, and the program could not leave
            raise


def _tell_nobody(stage: str, fraction: float | None) -> None:
    """Nobody watches how a replacement is loaded."""
