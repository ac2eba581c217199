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
from inference.bench.measuring import MeasuredSystem, clocked, drive, read, unique
from inference.models.labels import labels_for
from inference.models.loading import locate


class UsualBot(MeasuredSystem):
    """`model` is Whatsit's own section of settings: both run the same SavedModel, of the catalogue."""

    def __init__(self, model: dict[str, Any]) -> None:
        wanted = Model.model_validate(model)
        located = locate(wanted, report=lambda _stage, _fraction: None)
        if located.entry is None:
            raise ValueError(
                f"the benchmark measures models of the catalogue, and {wanted.name} is none of them"
            )
        self._size = located.entry.input_size
        self._labels = labels_for(located.name, located.entry.classes, wanted.labels)
        self._model = tf_keras.Sequential([hub.KerasLayer(str(located.folder))])
        self._model.predict(np.zeros((1, self._size, self._size, 3), np.float32), verbose=0)
        self._one = ThreadPoolExecutor(max_workers=1)

    async def close(self) -> None:
        self._one.shutdown()

    async def measure(
        self, *, pictures: list[str], start: int, count: int, in_flight: int, one_thread: bool
    ) -> dict[str, Any]:
        """Classify `count` new images, on a pool of `one_thread`, or else on asyncio's default pool."""
        loop = asyncio.get_running_loop()
        pool = self._one if one_thread else None
        images = unique(read(pictures), start, count)
        with clocked() as sample:
            sample["latencies_ms"] = await drive(
                lambda data: loop.run_in_executor(pool, self._classify, data), images, in_flight
            )
        return sample

    async def name(self, *, pictures: list[str]) -> list[str]:
        """Return the first label of each picture."""
        return [self._classify(data)[0][0] for data in read(pictures)]

    def _classify(self, data: bytes) -> list[tuple[str, float]]:
        """Return the five best labels and their probabilities."""
        picture = Image.open(io.BytesIO(data)).convert("RGB").resize((self._size, self._size))
        batch = np.asarray(picture, np.float32)[np.newaxis] / 255
        logits = self._model.predict(batch, verbose=0)[0]
        odds = np.exp(logits - logits.max())
        odds /= odds.sum()
        return [(self._labels[index], float(odds[index])) for index in np.argsort(-odds)[:5]]
