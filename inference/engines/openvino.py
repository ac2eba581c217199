"""OpenVINO on the processor: the fast engine. It reads what `inference.prepare` made of the SavedModel."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inference import cpus
from inference.engines import Prediction

# Its telemetry asks a server; without the package, OpenVINO has a stub for it.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment] # the way to forbid an import

import openvino  # noqa: E402

__all__ = ["OpenVINOEngine", "has_bf16"]


class OpenVINOEngine:
    """Runs the OpenVINO model in `path` on the cores this process may use: one stream, because two were
    slower.

    `precision` is the number format of the sums; "f32" also where the processor would rather use another. A
    model quantised to int8 has its own in it.
    """

    name = "openvino"

    def __init__(self, path: Path, *, precision: Literal["f32", "bf16"] = "f32") -> None:
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": cpus.usable(),
            "NUM_STREAMS": 1,
        }
        compiled = openvino.Core().compile_model(path, "CPU", settings)
        self._request = compiled.create_infer_request()

    def predict(self, batch: NDArray[np.uint8]) -> Prediction:
        """See `Engine.predict`."""
        # Without `share_outputs` the results are copies, and survive the next call.
        results = self._request.infer({0: np.ascontiguousarray(batch)}, share_inputs=True)
        logits, *features = results.to_tuple()
        return Prediction(logits, features[0] if features else None)


def has_bf16() -> bool:
    """Whether this processor computes in bfloat16."""
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
