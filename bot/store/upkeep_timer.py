"""The timer behind what the store does by itself: writing what was seen, and erasing what is too old."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any


class UpkeepTimer:
    """Runs `job` as a task, once, some seconds after `start`; the task is called `name`.

    It runs in the context in which it was made, not in that of the event during which it is started. So the
    simulated Discord, which waits for all that an event has started, does not wait for upkeep.
    """

    def __init__(self, job: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        self._job = job
        self._name = name
        self._context = copy_context()
        self._handle: asyncio.TimerHandle | None = None
        self._running: asyncio.Task[None] | None = None

    def start(self, seconds: float) -> None:
        """Run the job after so many seconds, unless it is to run anyway."""
        if self._handle is None:
            self._handle = self._context.run(asyncio.get_running_loop().call_later, seconds, self._wake)

    async def close(self) -> None:
        """Let a running job end, and start no other."""
        self._cancel()
        if self._running is not None:
            await asyncio.wait([self._running])
            self._cancel()  # the job may have started the timer again

    def _cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _wake(self) -> None:
        self._handle = None
        self._running = asyncio.create_task(self._job(), name=self._name)
