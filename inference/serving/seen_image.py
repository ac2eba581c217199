"""One image in the worker, between its bytes and its answer, and the stop-watch for what it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.images.views import DecodedFrame
from inference.results import PictureKind
from inference.serving.protocol import HeatReply


class CoreTime:
    """A stop-watch for the processor time of one image's decoding, on the thread that made it.

    `elsewhere`: the work is done on another thread, while this one waits. Nobody can tell its time from that
    of other threads, so the time that has gone by counts, and no more than the whole process worked.
    """

    def __init__(self, *, elsewhere: bool = False) -> None:
        self._elsewhere = elsewhere
        self._here, self._all, self._gone_by = time.thread_time(), time.process_time(), time.perf_counter()

    def seconds(self) -> float:
        """Return the core-seconds since it was made."""
        if self._elsewhere:
            return min(time.process_time() - self._all, time.perf_counter() - self._gone_by)
        return time.thread_time() - self._here


@dataclass(slots=True)
class SeenImage:
    """One image between its bytes and its labels.

    `crops`, uint8 [n, s, s, 3], are still to be predicted. `total`, float64 [classes], is the sum of the
    probabilities of the `views` crops predicted so far. `second` makes the crops of a second look.
    """

    size: tuple[int, int]
    crops: NDArray[np.uint8]
    second: Callable[[], NDArray[np.uint8]] | None
    whole: DecodedFrame | None = None
    """Kept where heat maps are wanted."""
    fingerprint: bytes | None = None
    perceptual_hash: bytes | None = None
    heat: HeatReply | None = None
    total: NDArray[np.float64] | float = 0.0
    views: int = 0
    decode_ms: float = 0.0
    predict_ms: float = 0.0
    core_seconds: float = 0.0
    kind: PictureKind | None = None
