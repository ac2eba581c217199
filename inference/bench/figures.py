"""The few statistics of the benchmark. A sample is what a measured system's `measure` returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

import numpy as np


def throughput(sample: dict[str, Any]) -> float:
    """Return the images a second of one sample."""
    return float(len(sample["latencies_ms"]) / sample["seconds"])


def core_ms(sample: dict[str, Any]) -> float:
    """Return the core-milliseconds that an image cost."""
    return float(sample["core_seconds"] * 1000 / len(sample["latencies_ms"]))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return `ours[i] / theirs[i]`, pair by pair: both of a pair were measured in the same turn.

    Raises ValueError where the two differ in length.
    """
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def summary(samples: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Return images a second, percentiles of the latency and core-milliseconds an image, over all samples."""
    samples = list(samples)
    latencies = [latency for sample in samples for latency in sample["latencies_ms"]]
    rates = [throughput(sample) for sample in samples]
    return {
        "images_per_second": round(median(rates), 2),
        "low": round(min(rates), 2),
        "high": round(max(rates), 2),
        **{f"p{percent}_ms": round(float(np.percentile(latencies, percent)), 2) for percent in (50, 95, 99)},
        "core_ms": round(median(map(core_ms, samples)), 3),
    }
