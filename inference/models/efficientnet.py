"""EfficientNet-Lite0 in plain TensorFlow functions, written out as a SavedModel.

Imports TensorFlow: only `inference.models.embedded_child` and tests load it.

Architecture: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite: ReLU6, no
squeeze-and-excite, stem and head not scaled, batch normalisation with epsilon 1e-3, TensorFlow's SAME
padding, input normalised to (255 x - 127) / 128.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from inference.results import ModelUnavailable

INPUT_SIZE = 224
EPSILON = 1e-3

Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class BlockStage:
    """Blocks of one kind: the first has `stride` and changes the channels, the rest have stride 1."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


STAGES = (
    BlockStage(repeats=1, kernel=3, stride=1, expand=1, channels=16),
    BlockStage(repeats=2, kernel=3, stride=2, expand=6, channels=24),
    BlockStage(repeats=2, kernel=5, stride=2, expand=6, channels=40),
    BlockStage(repeats=3, kernel=3, stride=2, expand=6, channels=80),
    BlockStage(repeats=3, kernel=5, stride=1, expand=6, channels=112),
    BlockStage(repeats=4, kernel=5, stride=2, expand=6, channels=192),
    BlockStage(repeats=1, kernel=3, stride=1, expand=6, channels=320),
)


class Convolution(tf.Module):  # type: ignore[misc] # TensorFlow comes without types
    """A convolution with the batch normalisation behind it folded into its kernel and bias."""

    def __init__(
        self, weights: Weights, name: str, norm: str, shape: tuple[int, ...], stride: int = 1
    ) -> None:
        super().__init__()
        kernel = _take(weights, f"{name}.weight", shape)
        gamma, beta, mean, variance = (
            _take(weights, f"{norm}.{part}", shape[:1])
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + EPSILON)
        kernel = kernel * scale[:, None, None, None]
        self._depthwise = shape[1] == 1
        self._stride = stride
        # torch keeps [out, in, height, width]; TensorFlow [height, width, in, out], or [.., channels, 1].
        axes = (2, 3, 0, 1) if self._depthwise else (2, 3, 1, 0)
        self._kernel = _constant(kernel.transpose(axes))
        self._bias = _constant(beta - mean * scale)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        convolve = tf.nn.depthwise_conv2d if self._depthwise else tf.nn.conv2d
        return convolve(x, self._kernel, [1, self._stride, self._stride, 1], "SAME") + self._bias


class InvertedBottleneck(tf.Module):  # type: ignore[misc] # TensorFlow comes without types
    """MobileNetV2's block: expand, convolve each channel, project; added to its input where shapes allow."""

    def __init__(self, weights: Weights, name: str, stage: BlockStage, stride: int, channels: int) -> None:
        super().__init__()
        wide = channels * stage.expand
        self._expand = (
            Convolution(weights, f"{name}._expand_conv", f"{name}._bn0", (wide, channels, 1, 1))
            if stage.expand > 1
            else None
        )
        square = (stage.kernel, stage.kernel)
        self._depthwise = Convolution(
            weights, f"{name}._depthwise_conv", f"{name}._bn1", (wide, 1, *square), stride
        )
        self._project = Convolution(
            weights, f"{name}._project_conv", f"{name}._bn2", (stage.channels, wide, 1, 1)
        )
        self._residual = stride == 1 and channels == stage.channels

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        inner = tf.nn.relu6(self._expand(x)) if self._expand else x
        inner = tf.nn.relu6(self._depthwise(inner))
        return self._project(inner) + x if self._residual else self._project(inner)


class EfficientNetLite0(tf.Module):  # type: ignore[misc] # TensorFlow comes without types
    """The network, with TF Hub's common signature for images.

    It takes float32 [batch, 224, 224, 3] in [0, 1] and gives logits, float32 [batch, 1000]; the signature
    `serving_default` also gives feature_vector, float32 [batch, 1280]. Raises ModelUnavailable where the
    weights are not those of this network.
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self._stem = Convolution(weights, "_conv_stem", "_bn0", (32, 3, 3, 3), stride=2)
        channels = 32
        self._blocks: list[InvertedBottleneck] = []
        for stage in STAGES:
            for repeat in range(stage.repeats):
                stride = 1 if repeat else stage.stride
                self._blocks.append(
                    InvertedBottleneck(weights, f"_blocks.{len(self._blocks)}", stage, stride, channels)
                )
                channels = stage.channels
        self._head = Convolution(weights, "_conv_head", "_bn1", (1280, channels, 1, 1))
        self._kernel = _constant(_take(weights, "_fc.weight", (1000, 1280)).T)
        self._bias = _constant(_take(weights, "_fc.bias", (1000,)))

    @tf.function(input_signature=[tf.TensorSpec([None, INPUT_SIZE, INPUT_SIZE, 3], tf.float32, "images")])  # type: ignore[untyped-decorator] # TensorFlow comes without types
    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        return self._run(images)["logits"]

    @tf.function(input_signature=[tf.TensorSpec([None, INPUT_SIZE, INPUT_SIZE, 3], tf.float32, "images")])  # type: ignore[untyped-decorator] # TensorFlow comes without types
    def serve(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._run(images)

    def _run(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        x = (images * 255.0 - 127.0) / 128.0
        x = tf.nn.relu6(self._stem(x))
        for block in self._blocks:
            x = block(x)
        x = tf.nn.relu6(self._head(x))
        features = tf.reduce_mean(x, axis=[1, 2])
        return {"logits": features @ self._kernel + self._bias, "feature_vector": features}


def _constant(values: NDArray[Any]) -> tf.Variable:
    return tf.Variable(values, trainable=False, dtype=tf.float32)


def _take(weights: Weights, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    found = weights.get(name)
    if found is None or found.shape != shape:
        raise ModelUnavailable(
            f"These are not the weights of efficientnet_lite0: {name} should have the shape {shape}, and "
            + (f"has {found.shape}." if found is not None else "is missing.")
        )
    return found
