"""Measured systems that run nowhere: they answer at a rate that the test sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.settings import Model
from inference.bench.measured_process import MeasuredProcess, MeasurementFailed
from inference.bench.pictures import PictureKind
from inference.bench.session import BenchSession


class CannedProcess(MeasuredProcess):
    """A system of `rate` images a second and `core` core-seconds an image."""

    def __init__(self, rate: float, core: float) -> None:
        self.opened = {"engine": "canned"}
        self._rate, self._core = rate, core
        self.asked: list[dict[str, Any]] = []

    def ask(self, method: str, **arguments: Any) -> Any:
        if method == "name":
            return ["a cat"] * len(arguments["pictures"])
        if method == "views":
            return 5 / 3
        self.asked.append(arguments)
        count = arguments["count"]
        self._rate *= 1.1  # a machine that warms up, for all alike
        return {
            "seconds": count / self._rate,
            "core_seconds": count * self._core,
            "latencies_ms": [1000 / self._rate] * count,
        }

    def close(self) -> None:
        """There is nothing to end."""


class CannedSession(BenchSession):
    """The pipeline's systems, but for the engines that are not here."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Model(), report=lambda _: None, originals=list)
        self.canned = {
            "MeasuredWhatsit": CannedProcess(200, 0.01),
            "UsualBot": CannedProcess(25, 0.08),
            "Decoder": CannedProcess(400, 0.002),
        }

    def start(self, system: str, **options: Any) -> MeasuredProcess:
        if options.get("engine") in {"litert", "onnxruntime"}:
            raise MeasurementFailed("ModuleNotFoundError: that engine is not installed")
        if options.get("settings", {}).get("model", {}).get("precision") == "int8":
            raise MeasurementFailed("ModelUnavailable: quantize it first")
        return self.canned.setdefault(system.partition(":")[2], CannedProcess(300, 0.007))

    def pictures(self, kind: PictureKind, *, count: int | None = None) -> list[str]:
        return [f"{kind} {number}" for number in range(18)][:count]
