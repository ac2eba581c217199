"""The work that the bot has accepted and not finished, so that it can be finished before the bot leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

log = logging.getLogger(__name__)

CANCEL_TIMEOUT = 2.0
"""Seconds that work which was cancelled at the end of `finish` may take to let go."""


class WorkInHand:
    """The tasks whose work is waited for when the bot is told to leave.

    Hold it from the moment work is accepted until its answer is sent, and accept none while `stopping`:

        if work_in_hand.stopping:
            return
        with work_in_hand.hold():
            ...
    """

    def __init__(self) -> None:
        self.stopping = False
        self._tasks: list[asyncio.Task[Any]] = []

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Mark the current task as work that is finished before the bot leaves.

        Raises `RuntimeError` outside a task, where there is nothing to wait for.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task on the event loop can hold work in hand")
        self._tasks.append(task)
        try:
            yield
        finally:
            self._tasks.remove(task)

    async def finish(self, within: float) -> int:
        """Take no new work, give the work in hand `within` seconds, and cancel what is left then.

        Returns how many pieces of work were cancelled.
        """
        self.stopping = True
        tasks = set(self._tasks)
        if not tasks:
            return 0
        log.info("Finishing the work in hand (%d) before leaving.", len(tasks))
        _, late = await asyncio.wait(tasks, timeout=within)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=CANCEL_TIMEOUT)
        return len(late)
