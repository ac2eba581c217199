"""The model that was trained, as a SavedModel in TensorFlow Hub's contract.

Imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from inference.models.frozen_graph import CHANNELS
from inference.models.labels import BESIDE_MODEL
from inference.training.head import LastLayer, power_normalised
from inference.training.network import FeatureNetwork


class TrainedModel(tf.Module):  # type: ignore[misc] # TensorFlow comes without types
    """The network and its new last layer, with TF Hub's common signature for images.

    It takes float32 [batch, size, size, 3] in [0, 1] and gives logits, float32 [batch, classes], whose
    softmax is honest; the signature `serving_default` also gives feature_vector, float32 [batch, width].
    """

    def __init__(self, network: FeatureNetwork, last: LastLayer) -> None:
        super().__init__()
        self.network = network
        self.kernel = tf.Variable(last.kernel, name="kernel")
        self.bias = tf.Variable(last.bias, name="bias")
        shape = [None, network.input_size, network.input_size, CHANNELS]
        signature = [tf.TensorSpec(shape, tf.float32, "images")]
        self.logits = tf.function(lambda images: self._run(images)["logits"], input_signature=signature)
        self.serve = tf.function(self._run, input_signature=signature)

    def _run(self, images: Any) -> dict[str, Any]:
        features = self.network.run(images)
        logits = tf.nn.bias_add(power_normalised(features) @ self.kernel, self.bias)
        return {"logits": logits, "feature_vector": features}

    def save(self, folder: Path, labels: Sequence[str]) -> None:
        """Write it with its labels, one a line, where `inference.models.labels` looks for them."""
        model = tf.train.Checkpoint(model=self)
        model.__call__ = self.logits
        weights = [self.kernel, self.bias, *self.network.weights]
        model.variables = model.trainable_variables = weights
        model.regularization_losses = []
        tf.saved_model.save(model, str(folder), signatures={"serving_default": self.serve})
        file = folder / BESIDE_MODEL
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")
