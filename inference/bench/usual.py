"""The usual bot: how everybody who follows the tutorial writes a Discord bot with a TensorFlow Hub model.

Full decode with Pillow, `tf_keras.Sequential([hub.KerasLayer(...)])`, and `.predict` an image at a time in
`loop.run_in_executor(None, ...)`. As fast as that way allows: the model is loaded and traced before the first
image, there is no progress bar, and nothing is logged.
"""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow_hub as hub
import tf_keras
from PIL import Image

from config.settings import Model
from inference.bench.drive import drive
from inference.bench.numbering import unique
from inference.bench.sampling import clocked, read
from inference.bench.weights import weights

__all__ = ["Usual"]


class Usual:
    def __init__(self, model: dict[str, Any]) -> None:
        found = weights(Model.model_validate(model))
        self._size = found.input_size
        self._labels = found.labels
        self._model = tf_keras.Sequential([hub.KerasLayer(str(found.folder))])
        self._model.predict(np.zeros((1, self._size, self._size, 3), np.float32), verbose=0)
        self._one = ThreadPoolExecutor(max_workers=1)

    async def open(self) -> dict[str, Any]:
        return {"engine": "tf_keras"}

    async def close(self) -> None:
        self._one.shutdown()

    async def measure(
        self, *, pictures: list[str], start: int, count: int, in_flight: int, one_thread: bool
    ) -> dict[str, Any]:
        """`one_thread`: from a pool of one, instead of asyncio's default pool."""
        loop = asyncio.get_running_loop()
        pool = self._one if one_thread else None
        images = unique(read(pictures), start, count)
        with clocked() as sample:
            sample["latencies_ms"] = await drive(
                lambda data: loop.run_in_executor(pool, self.classify, data), images, in_flight
            )
        return sample

    async def name(self, *, pictures: list[str]) -> list[str]:
        """The first label of each."""
        return [self.classify(data)[0][0] for data in read(pictures)]

    def classify(self, data: bytes) -> list[tuple[str, float]]:
        """The five best labels and their probabilities."""
        picture = Image.open(io.BytesIO(data)).convert("RGB").resize((self._size, self._size))
        batch = np.asarray(picture, np.float32)[np.newaxis] / 255
        logits = self._model.predict(batch, verbose=0)[0]
        odds = np.exp(logits - logits.max())
        odds /= odds.sum()
        return [(self._labels[index], float(odds[index])) for index in np.argsort(-odds)[:5]]
