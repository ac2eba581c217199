"""What `Classifier` needs of whatever gets its pictures looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Protocol

from inference.serving.expected_work import ExpectedWork
from inference.serving.image_job import OnCost
from inference.serving.protocol import AnsweredReply
from inference.serving.verdict_cache import ImageKey

CLOSED = "The classifier has been closed."
"""Why whatever is left when it is closed gets no answer."""


class ClassifierBackend(Protocol):
    """A `MicroBatcher`, whose docstrings hold, with a worker of its own, or a `ClusterBackend`."""

    weighs_images: bool
    """Whether `answer` makes use of `expected`."""
    batches: int
    batch_sizes: Counter[int]

    @property
    def pid(self) -> int | None: ...
    @property
    def restarts(self) -> int: ...
    @property
    def condemned(self) -> int: ...
    @property
    def breaker_open(self) -> bool: ...
    @property
    def worker_bytes(self) -> int: ...
    def check(self) -> None: ...
    async def start(self, report: Callable[[str, float | None], None]) -> None: ...
    async def answer(
        self,
        key: ImageKey,
        data: bytes,
        group: Hashable,
        on_cost: OnCost | None = None,
        expected: ExpectedWork = ...,
    ) -> AnsweredReply: ...
    def forget_group(self, group: Hashable) -> None: ...
    async def close(self) -> None: ...
