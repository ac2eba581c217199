"""Why a worker died, and which images it was at."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType


class DeathCause(Enum):
    """Why a worker died."""

    CRASHED = auto()
    """It ended by a signal of its own making (a segmentation fault, an abort) or by leaving."""
    HUNG = auto()
    """It said nothing within its deadline."""
    OVERRAN = auto()
    """A picture took more processor time than one may, and was in work when it was killed."""
    SLOW = auto()
    """A picture took much more processor time than its header promised, and may have kept others waiting."""
    BLOATED = auto()
    """It outgrew its memory limit."""
    KILLED = auto()
    """SIGKILL, and not by us: a person, or the kernel when the machine ran out of memory."""
    IDLE = auto()
    """It was gone, or killed from outside, before it began with what it was handed."""


class WorkerDied(Exception):
    """The worker is gone, and with it what it was doing.

    `in_work` are the images that it may have been at, each with the core-seconds that it is charged; of a
    `SLOW` death only those that took long. `slow` are others that it had been at for long.
    """

    def __init__(
        self,
        cause: DeathCause,
        detail: str,
        in_work: Mapping[int, float] = MappingProxyType({}),
        *,
        slow: frozenset[int] = frozenset(),
    ) -> None:
        super().__init__(detail)
        self.cause = cause
        self.in_work = in_work
        self.slow = slow
