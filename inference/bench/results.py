"""From what the rows found to the JSON that is committed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from inference.bench.figures import Spread
from inference.bench.pipeline import INT8
from inference.bench.plan import FULL_RUN, Row
from inference.bench.targets import FULL_ONLY, TARGETS

__all__ = ["assemble"]


def assemble(
    found: Mapping[str, Row],
    *,
    kind: Literal["quick", "full"],
    model: str,
    machine: dict[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """`"ratios"` has one flat number a figure, the median of its turns; `"spreads"` the ends and all turns.

    `"targets"` says what there was to reach, `"rows"` what each row found, and `"skipped"` the reason for
    every figure or system that was not measured.
    """
    spreads = {
        name: Spread.of(values)
        for name in TARGETS
        for row in found.values()
        if (values := row.figures.get(name))
    }
    skipped = {what: why for row in found.values() for what, why in row.skipped.items()}
    return {
        "whatsit": _version(),
        "kind": kind,
        "seconds": round(seconds, 1),
        "machine": machine,
        "model": {"name": model},
        "ratios": {name: _short(spread.median) for name, spread in spreads.items()},
        "spreads": {
            name: {
                "min": _short(spread.low),
                "max": _short(spread.high),
                "values": [_short(value) for value in spread.values],
            }
            for name, spread in spreads.items()
        },
        "targets": {
            name: {
                "at": "least" if TARGETS[name].least else "most",
                "value": _short(TARGETS[name].value),
                "reached": TARGETS[name].reached(spread.median),
            }
            for name, spread in spreads.items()
        },
        "rows": {name: row.data for name, row in found.items()},
        "skipped": skipped | {name: _why(name, kind, skipped) for name in TARGETS if name not in spreads},
    }


def _why(name: str, kind: str, skipped: Mapping[str, str]) -> str:
    """Why a figure has no number."""
    if name == "throughput_64_int8" and INT8 in skipped:
        return skipped[INT8]
    if name in FULL_ONLY and kind == "quick":
        return FULL_RUN
    return "Its row was not asked for, or a system that it compares is not here."


def _short(value: float) -> float:
    """Four significant digits: more would be noise."""
    return float(f"{value:.4g}")


def _version() -> str | None:
    try:
        return version("whatsit")
    except PackageNotFoundError:  # run from a folder, not installed
        return None
