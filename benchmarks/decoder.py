"""Decoding alone, as Whatsit does it or as everybody does."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image

from config.settings import Limits
from inference.bench.measuring import MeasuredSystem, clocked, read, unique
from inference.images.decode import decode

LIMITS = Limits(image_bytes=1 << 30)
"""What an image costs is the question here, not whether it is welcome."""

INPUT_SIZE = 224


class Decoder(MeasuredSystem):
    """Decodes pictures to what a model of 224 x 224 pixels takes."""

    async def measure(
        self, *, pictures: list[str], start: int, count: int, in_flight: int, full: bool
    ) -> dict[str, Any]:
        """Decode on `in_flight` threads; `full` decodes all there is and then resizes."""
        latencies: list[float] = []
        work = _decode_all if full else _decode_as_whatsit

        def one(data: bytes) -> None:
            began = time.perf_counter()
            work(data)
            latencies.append((time.perf_counter() - began) * 1000)

        images = unique(read(pictures), start, count)
        with ThreadPoolExecutor(in_flight) as pool, clocked() as sample:
            for done in [pool.submit(one, data) for data in images]:
                done.result()
        return sample | {"latencies_ms": latencies}


def _decode_as_whatsit(data: bytes) -> None:
    decode(data, input_size=INPUT_SIZE, views="1", limits=LIMITS)


def _decode_all(data: bytes) -> None:
    np.asarray(Image.open(io.BytesIO(data)).convert("RGB").resize((INPUT_SIZE, INPUT_SIZE)))
