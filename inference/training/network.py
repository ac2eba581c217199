"""A model without its last layer, as a network to train further, and as TensorFlow Hub's feature vectors are.

Imports TensorFlow.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from inference.models.frozen_graph import CHANNELS, FeatureGraph

TOP_LAYERS = 10
"""Layers from the top that are trained with `--fine-tune`: three blocks of MobileNet's kind have nine
convolutions, and one more follows them."""

KERNELS = {"Conv2D": 1, "DepthwiseConv2dNative": 1, "MatMul": 1}
"""Operations that make a layer, and which of their inputs is the kernel."""

BESIDE_KERNELS = {"BiasAdd": (1,), "Add": (0, 1), "AddV2": (0, 1), "FusedBatchNormV3": (1, 2)}
"""Operations whose weights belong to the layer before them, and which of their inputs these are. The means
and variances of batch normalisation are no weights: few pictures of few kinds would spoil them."""


class FeatureNetwork(tf.Module):  # type: ignore[misc] # TensorFlow comes without types
    """From pixels, float32 [n, size, size, 3] in [0, 1], to features, float32 [n, width].

    All weights are variables. `top` are those of the last `TOP_LAYERS` layers.
    """

    def __init__(self, cut: FeatureGraph) -> None:
        super().__init__()
        self.input_size, self.width = cut.input_size, cut.width
        nodes = {node.name: node for node in cut.graph.node}
        order = _in_order(nodes, _name(cut.features))
        layers = _layers(nodes, order)
        graph = type(cut.graph)(versions=cut.graph.versions, library=cut.graph.library)
        graph.node.extend(nodes[name] for name in order)  # without the last layer's weights
        self._weights = {
            name: tf.Variable(tf.make_ndarray(nodes[name].attr["value"].tensor), name=f"weights_{number}")
            for number, name in enumerate(dict.fromkeys(name for layer in layers for name in layer))
        }
        self.weights: list[tf.Variable] = list(self._weights.values())
        highest = dict.fromkeys(name for layer in layers[-TOP_LAYERS:] for name in layer)
        self.top: list[tf.Variable] = [self._weights[name] for name in highest]
        for node in graph.node:
            if node.name in self._weights:  # kept once, in the variable
                node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(0.0, tf.float32))

        def run(images: Any) -> Any:
            given = {f"{name}:0": weight.read_value() for name, weight in self._weights.items()}
            (features,) = tf.graph_util.import_graph_def(
                graph, {cut.images: images, **given}, [cut.features], name=""
            )
            return features

        shape = [None, cut.input_size, cut.input_size, CHANNELS]
        self.run = tf.function(
            run, input_signature=[tf.TensorSpec(shape, tf.float32, "images")], autograph=False
        )

    def save(self, folder: Path) -> None:
        """Write it as a SavedModel that `hub.KerasLayer` loads, with `top` as what may be trained."""
        vector = tf.train.Checkpoint(network=self)
        vector.__call__ = self.run
        vector.variables, vector.trainable_variables = self.weights, self.top
        vector.regularization_losses = []
        tf.saved_model.save(vector, str(folder))

    def take_over(self, trained: list[Any]) -> None:
        """Take the values of the variables that were trained after `save`, in the order of `top`."""
        for own, other in zip(self.top, trained, strict=True):
            own.assign(other)


def _layers(nodes: dict[str, Any], order: list[str]) -> list[list[str]]:
    """Return the names of the constants of each layer with a kernel, from the bottom to the top.

    `order` has the names of all nodes, each after its inputs.
    """
    layers: list[list[str]] = []
    of_node: dict[str, int] = {}
    """The number of the last layer that went into a node."""
    for name in order:
        node = nodes[name]
        inputs = [_name(tensor) for tensor in node.input]
        below = max((of_node[each] for each in inputs), default=-1)
        if node.op in KERNELS:
            if kernel := _constant(nodes, inputs[KERNELS[node.op]]):
                layers.append([kernel])
                below = len(layers) - 1
        elif below >= 0:
            beside = (_constant(nodes, inputs[place]) for place in BESIDE_KERNELS.get(node.op, ()))
            layers[below] += [each for each in beside if each]
        of_node[name] = below
    return layers


def _in_order(nodes: dict[str, Any], last: str) -> list[str]:
    """Return the names of the nodes that `last` needs, each after its inputs."""
    order: dict[str, None] = {}
    left = [last]
    while left:
        name = left[-1]
        waits = [each for tensor in nodes[name].input if (each := _name(tensor)) not in order]
        if waits and name not in order:
            left += waits
        else:
            order[left.pop()] = None
    return list(order)


def _constant(nodes: dict[str, Any], name: str) -> str | None:
    """Return the name of the constant that a node passes on, if it is one of several float32 numbers."""
    while nodes[name].op == "Identity":
        name = _name(nodes[name].input[0])
    node = nodes[name]
    if node.op != "Const" or node.attr["dtype"].type != tf.float32.as_datatype_enum:
        return None
    shape = [dimension.size for dimension in node.attr["value"].tensor.tensor_shape.dim]
    return name if np.prod(shape) > 1 else None


def _name(tensor: str) -> str:
    return tensor.lstrip("^").partition(":")[0]
