"""TensorFlow itself: the frozen function, never Keras's `predict`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from inference.models.engines import WITH_MAPS, WITHOUT_MAPS, Prediction
from inference.models.frozen_graph import FrozenModel


class TensorFlowEngine:
    """Runs a frozen graph (`frozen_graph.freeze`) on the threads that `child_process` allows it."""

    name = "tensorflow"
    precision = "f32"

    def __init__(self, frozen: FrozenModel) -> None:
        self._function = frozen.function
        self.head = frozen.head
        # One call has all cores at work already: of pairs two at a time, 8 % fewer were predicted. And
        # TensorFlow opens /dev/urandom on each thread that first calls it, which a sandboxed one could not.
        self._thread = ThreadPoolExecutor(1, "predict")

    def predict(self, batch: NDArray[np.uint8], *, maps: bool = False) -> Prediction:
        """See `Engine.predict`."""
        return self._thread.submit(self._predict, batch, WITH_MAPS if maps else WITHOUT_MAPS).result()

    def _predict(self, batch: NDArray[np.uint8], wanted: int) -> Prediction:
        return Prediction(*(output.numpy() for output in self._function(tf.constant(batch))[:wanted]))
