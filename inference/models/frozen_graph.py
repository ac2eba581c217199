"""From a SavedModel to one frozen function, which both engines run: uint8 in, logits, features and map out.

Imports TensorFlow: only child processes and the TensorFlow engine load it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from inference.models.graph_check import forbidden_operations
from inference.results import ModelUnavailable

RANK = 4
CLASSES_RANK = 2
CHANNELS = 3

SIGNATURES = ("serving_default", "image_classification", "default")
"""In order of preference; TF Hub's common signature for images calls it `default`."""

CONTRACT = (
    "A model has to take one float32 [batch, height, width, 3] in [0, 1], of any batch and square, and to "
    "give logits [batch, classes]: TensorFlow Hub's common signature for image classification."
)

THROUGH = frozenset(
    {"Identity", "IdentityN", "Squeeze", "Reshape", "BiasAdd", "Add", "AddV2", "StopGradient"}
)
"""Operations that may stand between the last layer and the model's output. Input 0 is the data."""

POOLING = frozenset({"Mean", "AvgPool"})
"""Operations that average a map into one vector."""

PASSING = frozenset({"Identity", "Squeeze", "Reshape", "StopGradient"})
"""Operations that may stand between the pooling and the last layer, because they change no number."""


@dataclass(frozen=True, slots=True)
class FrozenModel:
    """A model as one function with its weights in it.

    `function` takes uint8 [n, input_size, input_size, 3] and gives [logits], [logits, features] or [logits,
    features, map], float32 [n, classes], [n, width] and [n, rows, columns, width]. The features are the
    input of the last layer, and the map is what they are the average of. `head`, float32 [width, classes], is
    what the last layer multiplies the features by; None where there is no map or the layer is of another
    kind.
    """

    function: Any
    input_size: int
    classes: int
    features: bool
    head: NDArray[np.float32] | None = None


def freeze(name: str, folder: Path, *, default_size: int) -> FrozenModel:
    """Load the SavedModel `folder` through tensorflow_hub and freeze it.

    `default_size` is the input's height and width in pixels where the signature leaves them open. Raises
    ModelUnavailable, which names the model as `name`, where it does not keep to the contract.
    """
    whole, size = _traced(name, folder, default_size, scaled=False)
    logits, *features = whole.outputs
    logits, below = _last_layer(logits)
    pooled = features[0] if features else below
    averaged = None if below is None else _map_under(below)
    head = None if averaged is None else _head(logits)
    with whole.graph.as_default():
        outputs = [tf.identity(logits, "logits")]
        if pooled is not None:
            flat = tf.reduce_mean(pooled, axis=[1, 2]) if pooled.shape.rank == RANK else pooled
            outputs.append(tf.identity(flat, "features"))
        if head is not None:
            outputs.append(tf.identity(averaged, "map"))
    function = whole.prune(whole.inputs, outputs)
    return FrozenModel(function, size, int(logits.shape[-1]), features=len(outputs) > 1, head=head)


@dataclass(frozen=True, slots=True)
class FeatureGraph:
    """The part of a model below its last layer, as a graph with its weights in it as constants.

    It takes float32 [n, input_size, input_size, 3] in [0, 1] at the tensor `images` and gives features,
    float32 [n, width], at the tensor `features`.
    """

    graph: Any
    images: str
    features: str
    input_size: int
    width: int


def feature_graph(name: str, folder: Path, *, default_size: int) -> FeatureGraph:
    """Cut the last layer off the SavedModel `folder`; of a model without one, such as the Hub's feature
    vectors, all of it is taken.

    The arguments and errors are those of `freeze`.
    """
    whole, size = _traced(name, folder, default_size, scaled=True)
    logits, *named = whole.outputs
    _, below = _last_layer(logits)
    pooled = named[0] if named else (logits if below is None else below)
    with whole.graph.as_default():
        flat = tf.reduce_mean(pooled, axis=[1, 2]) if pooled.shape.rank == RANK else pooled
        output = tf.identity(flat, "features")
    cut = whole.prune(whole.inputs, [output])
    (images,), (features,) = cut.inputs, cut.outputs
    return FeatureGraph(cut.graph.as_graph_def(), images.name, features.name, size, int(features.shape[-1]))


def _traced(name: str, folder: Path, default_size: int, *, scaled: bool) -> tuple[Any, int]:
    """Return the SavedModel `folder` as a function with its weights in it, and its input's size in pixels.

    It takes float32 in [0, 1] if the pixels are `scaled`, else uint8, and gives logits and, where the model
    names them, features. Raises ModelUnavailable.
    """
    try:
        refused = forbidden_operations(folder)
        loaded = None if refused else hub.load(str(folder))
    except Exception as error:  # noqa: BLE001 - a damaged SavedModel makes TensorFlow raise almost anything
        raise ModelUnavailable(
            f"The model {name} cannot be loaded: {_first_line(error)} Its files are damaged or no "
            f"SavedModel: remove {folder} and fetch it again."
        ) from None
    if refused:
        raise ModelUnavailable(
            f"The model {name} is refused, because its graph touches files, the network or Python: "
            f"{', '.join(refused)}. Take another model, or export this one again with nothing but "
            "its layers."
        )
    run, size = _entry(name, loaded, default_size)

    def outputs(batch: Any) -> list[Any]:
        return _outputs(name, run(batch if scaled else tf.cast(batch, tf.float32) / 255.0))

    try:
        # AutoGraph would wrap our own error in a listing of this source.
        traced = tf.function(outputs, autograph=False).get_concrete_function(
            tf.TensorSpec([None, size, size, CHANNELS], tf.float32 if scaled else tf.uint8, name="batch")
        )
        return convert_variables_to_constants_v2(traced), size
    except ModelUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        raise ModelUnavailable(
            f"The model {name} cannot be run on pictures of {size} x {size} pixels: {_first_line(error)}"
        ) from None


def _entry(name: str, loaded: Any, default_size: int) -> tuple[Callable[[Any], Any], int]:
    """Return what to call with pixels, float32 [n, size, size, 3] in [0, 1], and that size."""
    signatures = dict(getattr(loaded, "signatures", {}))
    chosen = next((key for key in SIGNATURES if key in signatures), None)
    if chosen is None and len(signatures) == 1:
        chosen = next(iter(signatures))
    if chosen is None:
        if callable(loaded):
            return loaded, default_size
        raise ModelUnavailable(
            f"The model {name} has no usable signature: it has "
            + (f"only {', '.join(map(repr, signatures))}" if signatures else "none at all")
            + f", and Whatsit looks for {SIGNATURES[0]!r}. {CONTRACT}"
        )
    function = signatures[chosen]
    inputs: dict[str, Any] = function.structured_input_signature[1]
    spec = next(iter(inputs.values())) if len(inputs) == 1 else None
    if (
        spec is None
        or spec.dtype != tf.float32
        or not spec.shape.is_compatible_with([None, None, None, CHANNELS])
    ):
        found = ", ".join(f"{key} {item.dtype.name} {item.shape}" for key, item in sorted(inputs.items()))
        raise ModelUnavailable(f"The model {name} takes {found or 'nothing'}. {CONTRACT}")
    count, height, width, _ = spec.shape.as_list() if spec.shape.rank else (None, None, None, CHANNELS)
    if count is not None or height != width:
        raise ModelUnavailable(f"The model {name} takes only pictures of the shape {spec.shape}. {CONTRACT}")
    (argument,) = inputs
    return lambda pixels: function(**{argument: pixels}), height or default_size


def _outputs(name: str, given: Any) -> list[Any]:
    """Return the logits, and the feature vector where the model names one."""
    named: dict[str, Any] = given if isinstance(given, dict) else {"logits": given}
    features = [
        named[key]
        for key in named
        if key == "feature_vector" and named[key].shape.rank in (CLASSES_RANK, RANK)
    ]
    others = [named[key] for key in named if key != "feature_vector"]
    logits = named.get("logits", others[0] if len(others) == 1 else None)
    if (
        logits is None
        or logits.dtype != tf.float32
        or logits.shape.rank != CLASSES_RANK
        or not logits.shape[1]
    ):
        found = ", ".join(
            f"{key} {tensor.dtype.name} {tensor.shape}" for key, tensor in sorted(named.items())
        )
        raise ModelUnavailable(f"The model {name} gives {found}, which is no classification. {CONTRACT}")
    return [logits, *features]


def _last_layer(output: Any) -> tuple[Any, Any | None]:
    """Return the logits under `output`, and the input of the layer that makes them.

    A softmax at the end, as Keras classifiers have it, is left out: dividing its result by a temperature and
    taking a second softmax would be wrong. The layer is the first product with weights below the output; its
    input is None where the layer is of another kind.
    """
    logits = tensor = output
    while True:
        operation = tensor.op
        if operation.type in {"MatMul", "Conv2D"}:
            below = operation.inputs[0]
            return logits, below if below.shape.rank in (CLASSES_RANK, RANK) and below.shape[-1] else None
        if operation.type == "Softmax":
            logits = operation.inputs[0]
        elif operation.type not in THROUGH:
            return logits, None
        tensor = operation.inputs[0]


def _map_under(below: Any) -> Any | None:
    """Return the map, [n, rows, columns, width], whose average is the last layer's input, if there is one."""
    tensor = below
    while tensor.op.type in PASSING:
        tensor = tensor.op.inputs[0]
    if tensor.op.type not in POOLING:
        return None
    averaged = tensor.op.inputs[0]
    if averaged.shape.rank != RANK or not all(averaged.shape[1:]) or averaged.shape[-1] != below.shape[-1]:
        return None
    return averaged


def _head(logits: Any) -> NDArray[np.float32] | None:
    """Return what the last layer multiplies its input by, float32 [width, classes], if it is one product."""
    tensor = logits
    while tensor.op.type not in {"MatMul", "Conv2D"}:
        tensor = tensor.op.inputs[0]
    operation, kernel = tensor.op, tensor.op.inputs[1]
    while kernel.op.type == "Identity":
        kernel = kernel.op.inputs[0]
    if kernel.op.type != "Const":
        return None
    weights = np.asarray(tf.make_ndarray(kernel.op.get_attr("value")), np.float32)
    if operation.type == "Conv2D":
        return weights[0, 0] if weights.shape[:2] == (1, 1) else None
    return weights.T if operation.get_attr("transpose_b") else weights


def _first_line(error: Exception) -> str:
    return (
        f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}".rstrip(
            ": "
        )
        + "."
    )
