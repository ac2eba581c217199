"""ONNX Runtime, on the SavedModel as tf2onnx converts it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inference.bench.machine import cores

__all__ = ["load"]


def load(folder: Path) -> Callable[[NDArray[np.uint8]], Any]:
    """A function from uint8 crops [n, height, width, 3] to the outputs."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "model.onnx")
        subprocess.run(  # noqa: S603  # this very interpreter; in a child, so that no TensorFlow stays in this process
            [sys.executable, "-m", "tf2onnx.convert", "--saved-model", str(folder), "--output", str(file)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = cores()
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    inlet = session.get_inputs()[0].name
    return lambda crops: session.run(None, {inlet: crops.astype(np.float32) / 255})
