"""An engine with the decoding already done and nothing around it: the limit of what any bot can reach."""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.settings import Limits, Model
from inference.bench.plan import ENGINES
from inference.bench.sampling import clocked, read
from inference.bench.weights import weights
from inference.images.decode import decode
from inference.models.loading import load

__all__ = ["Bare"]

Predict = Callable[[NDArray[np.uint8]], object]


class Bare:
    """`pictures` are the crops' source: one batch of them is predicted again and again."""

    def __init__(self, engine: str, model: dict[str, Any], pictures: list[str]) -> None:
        for module in ENGINES[engine]:
            if importlib.util.find_spec(module) is None:
                raise ModuleNotFoundError(f"{module} is not installed")
        wanted = Model.model_validate(model)
        found = weights(wanted)
        self._engine = engine
        self._predict = _loaded(engine, wanted, found.folder)
        self._crops = np.concatenate(
            [
                decode(data, input_size=found.input_size, views="1", limits=Limits()).first
                for data in read(pictures)
            ]
        )
        self._predict(self._crops)

    async def open(self) -> dict[str, Any]:
        return {"engine": self._engine}

    async def close(self) -> None:
        """Nothing to give back."""

    async def measure(self, *, count: int, in_flight: int) -> dict[str, Any]:
        """Batches of as many crops as may be in flight, up to all."""
        batch = self._crops[:in_flight]
        latencies: list[float] = []
        self._predict(batch)  # an engine may prepare itself anew for each size of batch
        with clocked() as sample:
            while len(latencies) < count:
                began = time.perf_counter()
                self._predict(batch)
                latencies += [(time.perf_counter() - began) * 1000] * len(batch)
        return sample | {"latencies_ms": latencies}


def _loaded(engine: str, model: Model, folder: Path) -> Predict:
    if engine in {"litert", "onnxruntime"}:
        other: Predict = importlib.import_module(f"inference.bench.{engine}_engine").load(folder)
        return other
    wanted = model.model_copy(update={"engine": engine, "precision": "f32"})
    ours: Predict = load(wanted, report=lambda _stage, _fraction: None).engine.predict
    return ours
