"""One image on its way to an answer, and what its worker's deaths say of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable

from inference.results import InferenceError
from inference.serving.expected_work import ExpectedWork
from inference.serving.protocol import AnsweredReply
from inference.serving.verdict_cache import ImageKey
from inference.serving.worker_death import DeathCause, WorkerDied

Outcome = AnsweredReply | InferenceError
"""What becomes of an image."""

COSTLY_SECONDS = 0.3
"""Core-seconds of decoding from which on an image is costly: 12 megapixels take 0.1 as JPEG, 0.3 as PNG."""

APART_SECONDS = 0.05
"""Core-seconds of decoding from which on an image has a thread to itself. Two cheaper ones share one, and are
predicted together, which saves some milliseconds."""

CROPS_EXPLAINED = 8
"""Crops that a request for heat maps counts for in a batch; a picture takes 9 to 24."""

OnCost = Callable[[float], None]
"""Is told the core-seconds that an image took."""


class ImageJob:
    """An image to be looked at, and everybody who waits for it.

    It is tried alone in the second worker when it is `accused`, because the first died while it was in work
    or had no memory for it, or `suspicious`, because it is built like a picture that was condemned or comes
    from where one came from. `in_work`: a worker has it now. Whoever asked first pays for it: `on_cost` is
    told what it took. `expected` is what its header promises that it takes; `is_apart` and `is_costly`
    whether that is too much to share a thread, or a core, with others. `is_heavy`: its group has used much of
    the processor of late, and `counted` is what of this was counted for it before it was known.
    """

    def __init__(
        self,
        number: int,
        key: ImageKey,
        data: bytes,
        group: Hashable,
        *,
        on_cost: OnCost | None = None,
        expected: ExpectedWork = ExpectedWork(),  # noqa: B008 - it is a tuple
    ) -> None:
        self.id = number
        self.key = key
        self.data = data
        self.group = group
        self.on_cost = on_cost
        self.expected = expected
        self.is_costly = expected.is_large or expected.core_seconds > COSTLY_SECONDS or bool(key.explain)
        self.is_apart = self.is_costly or expected.core_seconds > APART_SECONDS
        self.is_heavy = False
        self.estimate = self.counted = 0.0
        self.waiters: set[asyncio.Future[AnsweredReply]] = set()
        self.accused = False
        self.suspicious = False
        self.in_work = False
        self.deaths = 0
        self.core_seconds = 0.0
        self._deaths_alone = 0
        self.begin()

    def begin(self) -> None:
        """Start over with the first look: the crops for a second one die with the worker."""
        self.second, self.crops = False, CROPS_EXPLAINED if self.key.explain else 1

    def died(self, death: WorkerDied, *, alone: bool) -> bool:
        """Count a death of the worker that was at this image. Returns whether the image is condemned.

        It is where it alone took too much processor time, and at the second death, if it was alone then; for
        an image that resembles a condemned one, the first death is the second. But
        a SIGKILL that was not ours is more often a person's, or the kernel's for lack of memory, than a
        picture's: then it must have been alone twice. That it was slow is nothing to condemn it for.
        """
        self.core_seconds += death.in_work.get(self.id, 0.0)  # none where it died before it said anything
        if death.cause is DeathCause.SLOW:
            return False
        self.deaths += 1
        self._deaths_alone += alone
        if death.cause is DeathCause.OVERRAN and len(death.in_work) == 1:
            return True
        again = self.deaths > 1 or self.suspicious
        return alone and again and (death.cause is not DeathCause.KILLED or self._deaths_alone > 1)

    def finish(self, outcome: Outcome) -> None:
        """Give the outcome to everybody who still waits."""
        for waiter in self.waiters:
            if waiter.done():
                continue  # cancelled in this very moment
            if isinstance(outcome, AnsweredReply):
                waiter.set_result(outcome)
            else:
                # An exception for each: its traceback grows where it is raised.
                waiter.set_exception(type(outcome)(*outcome.args, core_seconds=outcome.core_seconds))
