"""How much is measured: a quick run of under three minutes on two quiet cores, or the full one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from config.settings import Model, Settings
from inference.bench.photographs import Kind

__all__ = ["ENGINES", "FULL", "FULL_RUN", "LARGE", "QUICK", "SMALL", "Plan", "Row", "wanted"]

SMALL = Kind("jpeg", 0.3)
LARGE = Kind("jpeg", 12.0)

ENGINES = {
    "openvino": ("openvino",),
    "tensorflow": ("tensorflow",),
    "litert": ("ai_edge_litert", "tensorflow"),
    "onnxruntime": ("onnxruntime", "tf2onnx"),
}
"""Engines that are measured bare, and the modules that each needs to run and to convert a SavedModel."""

FULL_RUN = "Only the full run measures it."


@dataclass(frozen=True)
class Plan:
    """Counts are the usual bot's images; Whatsit gets `ours` times as many, to run for a similar time."""

    rounds: Mapping[int, int]
    """Images in flight -> turns that each system takes."""
    counts: Mapping[int, int]
    """Images in flight -> images of one turn."""
    ours: int
    bare: tuple[str, ...]
    """Which of the bare engines are measured."""
    large_rounds: int
    large_count: int
    large_ours: int
    stall_count: int
    decode_count: int
    """Images a format, size and way."""
    known_count: int
    cold_starts: int
    by_kind: bool
    """Whether the pipeline is measured on every format and size, too."""
    growth: bool
    """Whether 10,000 images are run for memory and growth."""
    processed: tuple[int, ...] = (100, 1_000, 10_000)
    waiting: int = 200
    resized_count: int = 36


QUICK = Plan(
    rounds={1: 3, 8: 1, 64: 3},
    counts={1: 18, 8: 36, 64: 72},
    ours=3,
    bare=("openvino",),
    large_rounds=2,
    large_count=66,
    large_ours=2,
    stall_count=1_000,
    decode_count=3,
    known_count=200,
    cold_starts=3,
    by_kind=False,
    growth=False,
)
FULL = Plan(
    rounds={1: 5, 8: 5, 64: 7},
    counts={1: 36, 8: 72, 64: 144},
    ours=4,
    bare=tuple(ENGINES),
    large_rounds=5,
    large_count=72,
    large_ours=4,
    stall_count=3_000,
    decode_count=18,
    known_count=1_000,
    cold_starts=5,
    by_kind=True,
    growth=True,
    resized_count=72,
)


@dataclass
class Row:
    """What one row of the benchmark found."""

    data: Any = None
    """For the JSON's `"rows"`, and the tables."""
    figures: dict[str, list[float]] = field(default_factory=dict)
    """Names of `targets` and their values, one a turn."""
    skipped: dict[str, str] = field(default_factory=dict)
    """What was not measured, and why."""


def wanted(model: Model, *, roomy: bool = True, **changes: Any) -> dict[str, Any]:
    """Whatsit's settings for a measurement, ready for JSON: this model, with `changes` of its section.

    `roomy` raises the caps on images, which 500 in flight would run into; the budget of bytes stays as it is.
    """
    settings = Settings(model=model.model_copy(update=changes))
    queue = settings.queue.model_copy(
        update={"timeout": 600.0} | ({"images": 1_000, "images_per_guild": 1_000} if roomy else {})
    )
    return settings.model_copy(update={"queue": queue}).model_dump(mode="json")
