"""TensorFlow itself: the frozen function, never Keras's `predict`."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from inference import cpus
from inference.engines import Prediction
from inference.graph import Frozen

__all__ = ["TensorFlowEngine", "use_threads"]


class TensorFlowEngine:
    """Runs a frozen graph (`inference.graph.freeze`) on the cores this process may use."""

    name = "tensorflow"

    def __init__(self, frozen: Frozen) -> None:
        self._function = frozen.function

    def predict(self, batch: NDArray[np.uint8]) -> Prediction:
        """See `Engine.predict`."""
        logits, *features = self._function(tf.constant(batch))
        return Prediction(logits.numpy(), features[0].numpy() if features else None)


def use_threads() -> None:
    """Give TensorFlow the cores this process may use; before its first work in the process."""
    tf.config.threading.set_intra_op_parallelism_threads(cpus.usable())
    tf.config.threading.set_inter_op_parallelism_threads(1)
