"""What runs a model: one class an engine, all alike from outside."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAIR", "Engine", "Prediction"]

PAIR = 2
"""Crops that are best predicted at once. On two cores, four pairs on two streams of OpenVINO took 76 to 87 %
of the time that all eight at once took, for which both cores work at each layer and wait for each other."""


class Prediction(NamedTuple):
    """What a model says of n crops: `logits` float32 [n, classes], and `features` float32 [n, width], the
    layer under the logits (None for a model without one)."""

    logits: NDArray[np.float32]
    features: NDArray[np.float32] | None


class Engine(Protocol):
    """Runs one model. `name` is "openvino" or "tensorflow"."""

    name: str

    def predict(self, batch: NDArray[np.uint8]) -> Prediction:
        """Predict RGB crops, uint8 [n, size, size, 3] in 0..255 with n >= 1. Several threads may
        call at once."""
