"""The statistics that the benchmark quotes."""

from __future__ import annotations

import pytest

from inference.bench.figures import ratios, summary


def test_ratios_are_taken_pair_by_pair() -> None:
    assert ratios([10, 30], [5, 10]) == [2, 3]
    with pytest.raises(ValueError, match="zip"):
        ratios([1, 2], [1])


def test_a_summary_counts_every_image_of_every_turn() -> None:
    turns = [
        {"seconds": 2.0, "core_seconds": 3.0, "latencies_ms": [10.0] * 4},
        {"seconds": 1.0, "core_seconds": 2.0, "latencies_ms": [30.0] * 4},
    ]
    assert summary(turns) == {
        "images_per_second": 3.0,
        "low": 2.0,
        "high": 4.0,
        "p50_ms": 20.0,
        "p95_ms": 30.0,
        "p99_ms": 30.0,
        "core_ms": 625.0,
    }
