"""TensorFlow itself: the frozen function, never Keras's `predict`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from inference.models.engines import Prediction
from inference.models.frozen_graph import FrozenModel


class TensorFlowEngine:
    """Runs a frozen graph (`frozen_graph.freeze`) on the threads that `child_process` allows it."""

    name = "tensorflow"

    def __init__(self, frozen: FrozenModel) -> None:
        self._function = frozen.function
        # One call has all cores at work already: of pairs two at a time, 8 % fewer were predicted. And
        # TensorFlow opens /dev/urandom on each thread that first calls it, which a sandboxed one could not.
        self._thread = ThreadPoolExecutor(1, "predict")

    def predict(self, batch: NDArray[np.uint8]) -> Prediction:
        """See `Engine.predict`."""
        return self._thread.submit(self._predict, batch).result()

    def _predict(self, batch: NDArray[np.uint8]) -> Prediction:
        logits, *features = self._function(tf.constant(batch))
        return Prediction(logits.numpy(), features[0].numpy() if features else None)
