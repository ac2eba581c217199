"""SavedModels whose signature also touches a file, the network or Python.

Imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from tests.inference import tiny

PIXELS = tf.TensorSpec([None, tiny.SIZE, tiny.SIZE, 3], tf.float32, name="images")


def save(folder: Path, touch: Callable[[Any], Any]) -> Path:
    """Write a good SavedModel whose signature also does `touch`, which gets the pixels."""
    model = tiny.Tiny()

    @tf.function(input_signature=[PIXELS], autograph=False)  # type: ignore[untyped-decorator] # no types
    def serve(pixels: Any) -> dict[str, Any]:
        with tf.control_dependencies([tf.convert_to_tensor(touch(pixels))]):
            return {"logits": tf.identity(model.logits(pixels))}

    model.serve = serve
    tf.saved_model.save(model, str(folder), signatures={"serving_default": serve})
    return folder


def read(_: Any) -> Any:
    return tf.io.read_file("/etc/hostname")


def write(_: Any) -> Any:
    with tf.control_dependencies([tf.io.write_file("never", "x")]):
        return tf.constant(0)


def list_files(_: Any) -> Any:
    return tf.io.matching_files("/etc/*")


def call_python(pixels: Any) -> Any:
    return tf.numpy_function(lambda picture: picture, [pixels], tf.float32)


def call_eager_python(pixels: Any) -> Any:
    return tf.py_function(lambda picture: picture, [pixels], tf.float32)


def print_to_a_file(_: Any) -> Any:
    with tf.control_dependencies([tf.print("x", output_stream="file://never")]):
        return tf.constant(0)


def save_a_checkpoint(pixels: Any) -> Any:
    saved = tf.raw_ops.SaveV2(prefix="never", tensor_names=["x"], shape_and_slices=[""], tensors=[pixels])
    with tf.control_dependencies([saved]):
        return tf.constant(0)


def restore_a_checkpoint(_: Any) -> Any:
    return tf.raw_ops.RestoreV2(
        prefix="never", tensor_names=["x"], shape_and_slices=[""], dtypes=[tf.float32]
    )[0]


def in_a_branch(pixels: Any) -> Any:
    return tf.cond(
        tf.reduce_sum(pixels) > 0, lambda: tf.io.read_file("/etc/hostname"), lambda: tf.constant("no")
    )


def records(_: Any) -> Any:
    return tf.data.TFRecordDataset("never").reduce(0, lambda count, _: count + 1)


def print_to_the_log(_: Any) -> Any:
    with tf.control_dependencies([tf.print("x")]):
        return tf.constant(0)
