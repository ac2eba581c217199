"""What an image is expected to take in the worker, from its header alone, before it is sent there."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from config.settings import Limits
from inference.images.headers import header
from inference.results import InferenceError

INLINE_BYTES = 64 * 1024
"""Headers of larger files are read on a thread: the worst ones take a few dozen milliseconds."""


class ExpectedWork(NamedTuple):
    """Core-seconds, and pixels that are held in memory; `is_large`: so many that one such is enough."""

    core_seconds: float = 0.05
    pixels: int = 0
    is_large: bool = False


async def expected_work(data: bytes, limits: Limits, input_size: int) -> ExpectedWork:
    """Return what decoding the image in `data` takes; `input_size` is the model's, in pixels.

    What the worker will refuse takes little.
    """
    if len(data) <= INLINE_BYTES:
        return _expected_work(data, limits, input_size)
    return await asyncio.to_thread(_expected_work, data, limits, input_size)


def _expected_work(data: bytes, limits: Limits, input_size: int) -> ExpectedWork:
    try:
        found = header(data, limits=limits, input_size=input_size)
    except InferenceError:
        return ExpectedWork()
    return ExpectedWork(found.core_ms / 1000, found.held, found.large)
