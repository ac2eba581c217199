"""LiteRT, with the XNNPACK delegate that it takes for float models, on the converted SavedModel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from inference.bench.machine import cores

__all__ = ["load"]


def load(folder: Path) -> Callable[[NDArray[np.uint8]], Any]:
    """A function from uint8 crops [n, height, width, 3] to the first output."""
    flat = tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert()
    interpreter = Interpreter(model_content=flat, num_threads=cores())
    inlet = interpreter.get_input_details()[0]["index"]
    outlet = interpreter.get_output_details()[0]["index"]
    prepared = 0

    def predict(crops: NDArray[np.uint8]) -> Any:
        nonlocal prepared
        if len(crops) != prepared:
            interpreter.resize_tensor_input(inlet, crops.shape)
            interpreter.allocate_tensors()
            prepared = len(crops)
        interpreter.set_tensor(inlet, crops.astype(np.float32) / 255)
        interpreter.invoke()
        return interpreter.get_tensor(outlet)

    return predict
