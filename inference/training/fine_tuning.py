"""Trains the top layers of the network too, together with the new last layer.

Imports TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tf_keras
from numpy.typing import NDArray

from inference.models.child_process import Report
from inference.training.fitting import BATCH, Course, fit
from inference.training.pictures import LabelledFile, Pictures, as_input

LEARNING_RATE = 1e-4
"""A tenth of the last layer's: what the network knows is to be changed a little, not learnt anew."""
EPOCHS, PATIENCE = 15, 3


class Tuned(NamedTuple):
    """How it went, and the logits of the pictures held back, float32 [n, classes]; None where the loss on
    those did not fall: the weights are then what they were."""

    course: Course
    logits: NDArray[np.float32] | None


def fine_tune(
    layer: Any,
    head: Any,
    pictures: Pictures,
    learnt: Sequence[LabelledFile],
    held_back: Sequence[LabelledFile],
    *,
    before: Course,
    epochs: int,
    report: Report,
) -> Tuned:
    """Train `layer`, a trainable `hub.KerasLayer`, and `head`, which was trained before as `before` says.

    Each epoch sees one new random variation of each picture.
    """
    weights = head.get_weights()
    size = pictures.size
    whole = tf_keras.Sequential([tf_keras.layers.Input((size, size, 3)), layer, head])
    judged = CropBatches(pictures, held_back, vary=False)
    course = fit(
        whole,
        CropBatches(pictures, learnt, vary=True),
        judged,
        learning_rate=LEARNING_RATE,
        epochs=epochs,
        patience=PATIENCE,
        report=report,
    )
    if not course.best_loss < before.best_loss:
        head.set_weights(weights)
        return Tuned(course, None)
    return Tuned(course, np.asarray(whole.predict(judged, verbose=0), np.float32))


class CropBatches(tf_keras.utils.Sequence):  # type: ignore[misc] # it comes without types
    """Batches of crops and labels, read from the files when they are needed; `vary` makes each another one
    every time, in another order."""

    def __init__(self, pictures: Pictures, files: Sequence[LabelledFile], *, vary: bool) -> None:
        super().__init__()
        self._pictures = pictures
        self._files = list(files)
        self._vary = vary
        self._random = np.random.default_rng(5)
        self._mix()

    def __len__(self) -> int:
        return math.ceil(len(self._files) / BATCH)

    def __getitem__(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        files = self._files[number * BATCH : (number + 1) * BATCH]
        crops = [
            next(self._pictures.variations(file, 1, self._random))
            if self._vary
            else self._pictures.centre(file)
            for file in files
        ]
        return as_input(crops), np.array([file.label for file in files], np.intp)

    def on_epoch_end(self) -> None:
        self._mix()

    def _mix(self) -> None:
        if self._vary:
            self._random.shuffle(self._files)
