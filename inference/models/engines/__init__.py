"""What runs a model: one class for each engine, all with the same methods."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAIR", "WITHOUT_MAPS", "WITH_MAPS", "Engine", "Prediction"]

PAIR = 2
"""Crops that are best predicted at once. On two cores, four pairs on two streams of OpenVINO took 76 to 87 %
of the time of all eight at once, where the cores wait for each other at each layer."""


class Prediction(NamedTuple):
    """What a model gives for n crops: `logits`, float32 [n, classes], and `features`, float32 [n, width].

    The features are the layer under the logits, None for a model without one. `maps`, float32 [n, rows,
    columns, width], is what the features are the average of; None for a model without one, and where nobody
    asked for it.
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float32] | None = None
    maps: NDArray[np.float32] | None = None


WITHOUT_MAPS, WITH_MAPS = 2, 3
"""How many of a model's outputs are read: they come in the order of `Prediction`."""


class Engine(Protocol):
    """Runs one model. `name` is "openvino" or "tensorflow".

    `precision` is the number format of the sums: "f32", "bf16" or "int8". `head`, float32 [width, classes],
    is what the last layer multiplies the features by; None where the model gives no maps.
    """

    name: str

    @property
    def precision(self) -> str: ...
    @property
    def head(self) -> NDArray[np.float32] | None: ...

    def predict(self, batch: NDArray[np.uint8], *, maps: bool = False) -> Prediction:
        """Predict RGB crops, uint8 [n, size, size, 3] in 0..255 with n >= 1. Any thread may call it.

        `maps`: whether the maps are wanted too, which are 50 times as large as the features.
        """
