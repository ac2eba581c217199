"""What runs a model: one class for each engine, all with the same methods."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAIR", "Engine", "Prediction"]

PAIR = 2
"""Crops that are best predicted at once. On two cores, four pairs on two streams of OpenVINO took 76 to 87 %
of the time of all eight at once, where the cores wait for each other at each layer."""


class Prediction(NamedTuple):
    """What a model gives for n crops: `logits`, float32 [n, classes], and `features`, float32 [n, width].

    The features are the layer under the logits, None for a model without one.
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float32] | None


class Engine(Protocol):
    """Runs one model. `name` is "openvino" or "tensorflow"."""

    name: str

    def predict(self, batch: NDArray[np.uint8]) -> Prediction:
        """Predict RGB crops, uint8 [n, size, size, 3] in 0..255 with n >= 1. Any thread may call it."""
