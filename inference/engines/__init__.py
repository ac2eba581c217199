"""What runs a model: one class an engine, all alike from outside."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Engine", "Prediction"]


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
