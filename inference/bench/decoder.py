"""Decoding alone, as Whatsit does it or as everybody does."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image

from config.settings import Limits
from inference.bench.numbering import unique
from inference.bench.sampling import clocked, read
from inference.images.decode import PREPROCESSING_VERSION, decode

__all__ = ["Decoder"]

LIMITS = Limits(image_bytes=1 << 30)
"""What an image costs is the question here, not whether it is welcome."""


class Decoder:
    def __init__(self, input_size: int) -> None:
        self._size = input_size

    async def open(self) -> dict[str, Any]:
        return {"preprocessing": PREPROCESSING_VERSION}

    async def close(self) -> None:
        """Nothing to give back."""

    async def measure(
        self, *, pictures: list[str], start: int, count: int, in_flight: int, full: bool
    ) -> dict[str, Any]:
        """On `in_flight` threads; `full` decodes all there is and then resizes."""
        latencies: list[float] = []
        work = self._full if full else self._scaled

        def one(data: bytes) -> None:
            began = time.perf_counter()
            work(data)
            latencies.append((time.perf_counter() - began) * 1000)

        images = unique(read(pictures), start, count)
        with ThreadPoolExecutor(in_flight) as pool, clocked() as sample:
            for done in [pool.submit(one, data) for data in images]:
                done.result()
        return sample | {"latencies_ms": latencies}

    def _scaled(self, data: bytes) -> None:
        decode(data, input_size=self._size, views="1", limits=LIMITS)

    def _full(self, data: bytes) -> None:
        np.asarray(Image.open(io.BytesIO(data)).convert("RGB").resize((self._size, self._size)))
