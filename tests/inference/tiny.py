"""Small SavedModels, made in a moment, that keep to the Hub's contract or break it in one way.

Imports TensorFlow.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["CLASSES", "SIZE", "Tiny", "save"]

CLASSES = 5
SIZE = 32
WIDTH = 7


class Tiny(tf.Module):  # type: ignore[misc] # TensorFlow comes without types
    """A convolution, a mean, and a last layer; the weights are always the same."""

    def __init__(self) -> None:
        super().__init__()
        random = np.random.default_rng(5)
        self.kernel = tf.Variable(random.normal(0, 1, (3, 3, 3, WIDTH)), dtype=tf.float32)
        self.last = tf.Variable(random.normal(0, 3, (WIDTH, CLASSES)), dtype=tf.float32)

    def features(self, images: Any) -> Any:
        """float32 [n, WIDTH] of float32 [n, SIZE, SIZE, 3]."""
        return tf.reduce_mean(tf.nn.relu(tf.nn.conv2d(images, self.kernel, 2, "SAME")), [1, 2])

    def logits(self, images: Any) -> Any:
        """float32 [n, CLASSES] of float32 [n, SIZE, SIZE, 3]."""
        return self.features(images) @ self.last

    def convolved(self, images: Any) -> Any:
        """The same logits, from a 1 x 1 convolution as MobileNets on the Hub have it."""
        pooled = self.features(images)[:, None, None, :]
        return tf.squeeze(tf.nn.conv2d(pooled, self.last[None, None], 1, "SAME"), [1, 2])


class Callable(Tiny):
    """Has no signature, but can be called."""

    @tf.function(input_signature=[tf.TensorSpec([None, SIZE, SIZE, 3])])  # type: ignore[untyped-decorator] # no types
    def __call__(self, images: Any) -> Any:
        return self.logits(images)


OUTPUTS: dict[str, Any] = {
    "plain": lambda model, pixels: {"logits": model.logits(pixels)},
    "default": lambda model, pixels: {"default": model.logits(pixels)},
    "softmax": lambda model, pixels: {"predictions": tf.nn.softmax(model.logits(pixels))},
    "convolution": lambda model, pixels: {"logits": model.convolved(pixels)},
    "named": lambda model, pixels: {
        "logits": model.logits(pixels),
        "feature_vector": 2 * model.features(pixels),
    },
    "strings": lambda _, pixels: {"logits": tf.zeros([1, CLASSES]), "length": tf.strings.length(pixels)},
    "grey": lambda model, pixels: {"logits": model.logits(tf.repeat(pixels, 3, axis=3))},
    "boxes": lambda model, pixels: {"boxes": model.logits(pixels)[:, :, None]},
    "unnamed": lambda model, pixels: {"first": model.logits(pixels), "second": model.features(pixels)},
}


def save(folder: Path, what: str = "plain") -> Path:
    """Write a SavedModel into `folder`. `what` names its kind: of OUTPUTS, or of input; "callable" and
    "nothing" have no signature."""
    model = Callable() if what == "callable" else Tiny()
    if what in {"callable", "nothing"}:
        tf.saved_model.save(model, str(folder))
        return folder
    shape = {
        "open": [None, None, None, 3],
        "grey": [None, SIZE, SIZE, 1],
        "single": [1, SIZE, SIZE, 3],
        "oblong": [None, SIZE, 2 * SIZE, 3],
    }.get(what, [None, SIZE, SIZE, 3])
    images = tf.TensorSpec(shape, tf.string if what == "strings" else tf.float32, name="images")
    inputs = [images, tf.TensorSpec([], tf.float32, name="more")] if what == "two" else [images]

    model.serve = tf.function(
        lambda pixels, *_: OUTPUTS.get(what, OUTPUTS["plain"])(model, pixels),
        input_signature=inputs,
        autograph=False,
    )
    name = "default" if what == "default" else "serving_default"
    tf.saved_model.save(model, str(folder), signatures={name: model.serve})
    return folder
