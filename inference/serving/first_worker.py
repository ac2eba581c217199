"""The first worker, and what takes its place when it has died."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from inference.results import ModelInfo, ModelUnavailable
from inference.serving.async_worker import AsyncWorker, BatchWorker
from inference.serving.breaker import CircuitBreaker
from inference.serving.image_job import ImageJob
from inference.serving.protocol import WorkerReply
from inference.serving.spare_worker import SpareWorker
from inference.serving.worker_death import DeathCause, WorkerDied

log = logging.getLogger(__name__)


class FirstWorker:
    """Holds the worker that answers everybody, replaced by the spare or by a new one.

    `on_model` is told which model a new worker has loaded. `on_broken` is told, in a whole sentence, why the
    breaker has just opened.
    """

    def __init__(
        self,
        worker: BatchWorker,
        spare_worker: BatchWorker,
        *,
        on_model: Callable[[ModelInfo], None],
        on_broken: Callable[[str], None],
    ) -> None:
        self.worker = AsyncWorker(worker, "worker-supervisor")
        self.spare = SpareWorker(spare_worker)
        self.breaker = CircuitBreaker()
        self.replaced = 0
        """How often a worker had to be replaced."""
        self._on_model = on_model
        self._on_broken = on_broken
        self._proven = False
        self._closed = False

    async def start(self, report: Callable[[str, float | None], None]) -> ModelInfo:
        """Start the first one. Raises ModelUnavailable if it has no model, WorkerDied if it dies."""
        info = await self.worker.start(report)
        self.spare.settle_on(info.name)
        self._on_model(info)
        return info

    async def look_at(
        self,
        batch: Sequence[ImageJob],
        report: Callable[[ImageJob, WorkerReply], None],
        *,
        image_seconds: float,
        forget: Sequence[int],
    ) -> None:
        """Have a batch looked at, as `AsyncWorker.look_at` does, which says what may be raised."""
        await self.worker.look_at(batch, report, image_seconds=image_seconds, forget=forget)
        self._proven = True

    async def replace(self) -> bool:
        """Have another worker. Returns False where that fails: the breaker is open, or it was closed."""
        while not self._closed:
            self._proven = False
            self.replaced += 1
            try:
                if taken := await self.spare.take_over(self.worker):
                    self.worker, info = taken
                else:
                    info = await self.worker.start()
            except WorkerDied as death:
                if not self.count_crash(death):
                    return False
            except ModelUnavailable as error:
                self._break(f"The worker could not be replaced: {error}")
                return False
            else:
                self._on_model(info)
                return True
        return False

    def count(self, death: WorkerDied) -> bool:
        """Count a death for which no image can be blamed. Returns whether to go on.

        The death of an idle worker that had answered before does not count: nobody lost anything by it.
        """
        return (death.cause is DeathCause.IDLE and self._proven) or self.count_crash(death)

    def count_crash(self, death: WorkerDied) -> bool:
        """Count a death that no image explains. Returns whether to go on."""
        if not self.breaker.crashed():
            return True
        self._break(f"The worker keeps dying; the last time, {death}.")
        return False

    def end(self) -> None:
        """Kill the worker and the spare; no other is started."""
        self._closed = True
        self.worker.end()
        self.spare.end()

    async def close(self) -> None:
        """Wait until those that were ended are gone."""
        await self.spare.close()
        await self.worker.close()

    def _break(self, reason: str) -> None:
        log.error("%s", reason)
        self.breaker.open(reason)
        self._on_broken(reason)
