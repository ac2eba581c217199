"""TensorFlow itself: the frozen function, never Keras's `predict`."""

from __future__ import annotations

import threading

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from inference.models.engines import Prediction
from inference.models.frozen_graph import FrozenModel

__all__ = ["TensorFlowEngine"]


class TensorFlowEngine:
    """Runs a frozen graph (`frozen_graph.freeze`) on the threads that `child_process` allows it."""

    name = "tensorflow"

    def __init__(self, frozen: FrozenModel) -> None:
        self._function = frozen.function
        # One call has all cores at work already: of pairs two at a time, 8 % fewer were predicted.
        self._turn = threading.Lock()

    def predict(self, batch: NDArray[np.uint8]) -> Prediction:
        """See `Engine.predict`."""
        with self._turn:
            logits, *features = self._function(tf.constant(batch))
        return Prediction(logits.numpy(), features[0].numpy() if features else None)
