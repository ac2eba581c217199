"""OpenVINO on the processor, the fast engine. It reads what `convert_child` has written."""

from __future__ import annotations

import queue
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inference import cpus
from inference.models.convert import HEAD
from inference.models.engines import PAIR, WITH_MAPS, WITHOUT_MAPS, Prediction

# Its telemetry asks a server. Without the package, OpenVINO asks nobody.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment] # the way to forbid an import

import openvino  # noqa: E402

STREAMS = 4
"""Most streams; with more cores than that, each stream has several."""


class OpenVINOEngine:
    """Runs the OpenVINO model in `path` on the cores this process may use.

    It is compiled twice: for pairs of crops, on streams side by side, and for one crop with all cores, so
    that a picture alone is answered soon. `precision` is the number format of the sums: "f32" also on a
    processor that prefers another. "int8" is for a model that was quantised, which brings its own.
    """

    name = "openvino"

    def __init__(self, path: Path, *, precision: Literal["f32", "bf16", "int8"] = "f32") -> None:
        self.precision: str = precision
        head = path.with_name(HEAD)
        self.head: NDArray[np.float32] | None = np.load(head) if head.exists() else None
        streams = min(cpus.usable(), STREAMS)
        self._threads = ThreadPoolExecutor(streams, "predict")
        model = openvino.Core().read_model(path)
        self._alone = _requests(model, precision, crops=1, streams=1)
        self._pairs = _requests(model, precision, crops=PAIR, streams=streams)

    def predict(self, batch: NDArray[np.uint8], *, maps: bool = False) -> Prediction:
        """See `Engine.predict`."""
        predict = partial(self._predict, WITH_MAPS if maps else WITHOUT_MAPS)
        if len(batch) <= PAIR:
            return Prediction(*predict(batch))
        pairs = [batch[first : first + PAIR] for first in range(0, len(batch), PAIR)]
        parts = self._threads.map(predict, pairs)
        return Prediction(*(np.concatenate(outputs) for outputs in zip(*parts, strict=True)))

    def _predict(self, wanted: int, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
        free = self._pairs if len(crops) == PAIR else self._alone
        request = free.get()
        try:
            results = request.infer({0: np.ascontiguousarray(crops)}, share_inputs=True, share_outputs=True)
            # Copies of what is wanted survive the next call; the maps are large, and seldom wanted.
            return tuple(output.copy() for output in results.to_tuple()[:wanted])
        finally:
            free.put(request)


def has_bf16() -> bool:
    """Tell whether this processor computes in bfloat16."""
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _requests(model: openvino.Model, precision: str, *, crops: int, streams: int) -> queue.SimpleQueue[Any]:
    """Compile the model for `crops` crops, and return as many requests as can run at once.

    Each has run once, one after the other: two first calls at the same time may wait for each other for ever
    (https://github.com/ultralytics/ultralytics/issues/25923).
    """
    model.reshape([crops, *model.input().partial_shape[1:]])
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        "INFERENCE_NUM_THREADS": cpus.usable(),
        "NUM_STREAMS": streams,
        "ENABLE_CPU_PINNING": False,  # the threads that decode need the same cores
    }
    compiled = openvino.compile_model(model, "CPU", settings)
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
    nothing = np.zeros((crops, *model.input().shape[1:]), np.uint8)
    for _ in range(streams):
        request = compiled.create_infer_request()
        request.infer({0: nothing}, share_inputs=True)
        requests.put(request)
    return requests
