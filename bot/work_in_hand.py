"""The work that the bot has accepted and not finished, so that it can be finished before the bot leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)

CANCEL_TIMEOUT = 2.0
"""Seconds that work which was cancelled may take to let go."""


@dataclass(eq=False)
class _OwnedWork:
    """A block of a task, and the ids of the people and the server whose work it is."""

    task: asyncio.Task[Any]
    owners: frozenset[int | None]
    ended: asyncio.Future[None]
    is_stopped: bool = False


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
        self._owned: list[_OwnedWork] = []

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

    @contextmanager
    def of(self, *owners: int | None) -> Iterator[None]:
        """Let `stop` end this block for any of these people or servers; the task goes on behind it.

        Raises `RuntimeError` outside a task.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task on the event loop has work that can be stopped")
        before = task.cancelling()
        work = _OwnedWork(task, frozenset(owners), asyncio.get_running_loop().create_future())
        self._owned.append(work)
        try:
            yield
        except asyncio.CancelledError:
            # Where somebody else has cancelled the task too, it ends.
            if not work.is_stopped or task.uncancel() > before:
                raise
        else:
            if work.is_stopped:  # it was done before it noticed
                task.uncancel()
        finally:
            self._owned.remove(work)
            work.ended.set_result(None)

    async def stop(self, owner: int) -> int:
        """End the work of a person or a server, but for the current task's, and wait until it has let go.

        Returns how many pieces of work were ended.
        """
        stopped = [
            work
            for work in self._owned
            if owner in work.owners and work.task is not asyncio.current_task() and not work.is_stopped
        ]
        for work in stopped:
            work.is_stopped = True
            work.task.cancel()
        if stopped:
            await asyncio.wait([work.ended for work in stopped], timeout=CANCEL_TIMEOUT)
        return len(stopped)

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
