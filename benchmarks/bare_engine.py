"""An engine with the decoding already done and nothing around it: the limit of what any bot can reach."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.settings import Limits, Model
from inference import cpus
from inference.bench.measuring import MeasuredSystem, clocked, read
from inference.images.decode import decode
from inference.models.loading import load, locate

ENGINES = ("openvino", "tensorflow", "litert", "onnxruntime")

Predict = Callable[[NDArray[np.uint8]], object]


class BareEngine(MeasuredSystem):
    """`pictures` are the files whose crops are predicted; they are decoded before anything is measured."""

    def __init__(self, engine: str, model: dict[str, Any], pictures: list[str]) -> None:
        wanted = Model.model_validate(model)
        located = locate(wanted, report=_tell_nobody)
        self._predict = _LOADERS[engine](wanted, located.folder)
        self._crops = np.concatenate(
            [
                decode(data, input_size=located.default_size, views="1", limits=Limits()).first
                for data in read(pictures)
            ]
        )

    async def measure(self, *, count: int, in_flight: int) -> dict[str, Any]:
        """Predict batches of as many crops as may be in flight, up to all, until `count` crops are done."""
        batch = self._crops[:in_flight]
        latencies: list[float] = []
        self._predict(batch)  # an engine may prepare itself anew for each size of batch
        with clocked() as sample:
            while len(latencies) < count:
                began = time.perf_counter()
                self._predict(batch)
                latencies += [(time.perf_counter() - began) * 1000] * len(batch)
        return sample | {"latencies_ms": latencies}


def _whatsits_own(engine: str) -> Callable[[Model, Path], Predict]:
    def loader(model: Model, _folder: Path) -> Predict:
        wanted = model.model_copy(update={"engine": engine, "precision": "f32"})
        return load(wanted, report=_tell_nobody).engine.predict

    return loader


def _litert(_model: Model, folder: Path) -> Predict:
    """LiteRT, with the XNNPACK delegate that it takes for float models, on the converted SavedModel."""
    import tensorflow as tf  # noqa: PLC0415 - only for the engine that is measured
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - as above

    flat = tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert()
    interpreter = Interpreter(model_content=flat, num_threads=cpus.usable())
    inlet = interpreter.get_input_details()[0]["index"]
    outlet = interpreter.get_output_details()[0]["index"]
    prepared = 0

    def predict(crops: NDArray[np.uint8]) -> object:
        nonlocal prepared
        if len(crops) != prepared:
            interpreter.resize_tensor_input(inlet, crops.shape)
            interpreter.allocate_tensors()
            prepared = len(crops)
        interpreter.set_tensor(inlet, crops.astype(np.float32) / 255)
        interpreter.invoke()
        return interpreter.get_tensor(outlet)

    return predict


def _onnxruntime(_model: Model, folder: Path) -> Predict:
    """ONNX Runtime, on the SavedModel as tf2onnx converts it."""
    import onnxruntime  # noqa: PLC0415 - only for the engine that is measured

    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "model.onnx")
        subprocess.run(  # noqa: S603 - this very interpreter; in a child, so that no TensorFlow stays in this process
            [sys.executable, "-m", "tf2onnx.convert", "--saved-model", str(folder), "--output", str(file)],
            check=True,
            capture_output=True,
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = cpus.usable()
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    inlet = session.get_inputs()[0].name
    return lambda crops: session.run(None, {inlet: crops.astype(np.float32) / 255})


_LOADERS: dict[str, Callable[[Model, Path], Predict]] = {
    "openvino": _whatsits_own("openvino"),
    "tensorflow": _whatsits_own("tensorflow"),
    "litert": _litert,
    "onnxruntime": _onnxruntime,
}


def _tell_nobody(_stage: str, _fraction: float | None) -> None:
    """Loading is not what is measured."""
