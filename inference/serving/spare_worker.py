"""The spare: a loaded worker that takes over at once when the first one dies. In peace there is none."""

from __future__ import annotations

import asyncio
import logging

from inference.results import ModelInfo, ModelUnavailable
from inference.serving.async_worker import AsyncWorker, BatchWorker
from inference.serving.worker_death import WorkerDied

log = logging.getLogger(__name__)

KEPT_SECONDS = 300.0
"""After so long without trouble the spare is ended: its model takes memory."""


class SpareWorker:
    """Loads a worker when there is trouble, and keeps it for some minutes."""

    def __init__(self, worker: BatchWorker) -> None:
        self._worker = AsyncWorker(worker, "spare-supervisor")
        self._loading: asyncio.Task[ModelInfo | None] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def is_kept(self) -> bool:
        """Whether there was trouble a short time ago: it is there, or is being loaded."""
        return self._loading is not None

    def settle_on(self, name: str) -> None:
        """Let the spare take the model that `auto` chose for the first worker."""
        self._worker.settle_on(name)

    def prepare(self) -> None:
        """Begin to load it, unless it is there, and keep it for some minutes from now."""
        if self._closed:
            return
        if self._expiry:
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._expire)
        if self._loading is None:
            self._loading = asyncio.create_task(self._load(), name="inference-spare")

    async def take_over(self, worker: AsyncWorker) -> tuple[AsyncWorker, ModelInfo] | None:
        """Return the spare, loaded, and its model, and begin to load the next one in place of `worker`.

        Where it is being loaded, this waits for it. Returns None where there is none, or it did not load.
        """
        if self._loading is None:
            return None
        info = await asyncio.shield(self._loading)
        self._loading = None
        if info is None:
            return None
        spare, self._worker = self._worker, worker
        self.prepare()
        return spare, info

    def end(self) -> None:
        """Kill it; no other is loaded."""
        self._closed = True
        if self._expiry:
            self._expiry.cancel()
        self._worker.end()

    async def close(self) -> None:
        """Wait until the spare that was ended is gone."""
        if tasks := [task for task in (self._loading, self._leaving) if task]:
            await asyncio.wait(tasks)
        await self._worker.close()

    async def _load(self) -> ModelInfo | None:
        try:
            return await self._worker.start()
        except (WorkerDied, ModelUnavailable) as error:
            if not self._closed:
                log.warning("The spare worker could not be loaded: %s", error)
            return None

    def _expire(self) -> None:
        if self._loading and self._loading.done():
            self._loading = None
            self._leaving = asyncio.create_task(self._worker.reap(), name="inference-spare-end")
