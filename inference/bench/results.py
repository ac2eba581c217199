"""From what the rows found to the JSON that can be kept."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from inference.bench.rows import BenchRow
from inference.bench.targets import BenchTarget


def assemble(
    found: Mapping[str, BenchRow],
    targets: Mapping[str, BenchTarget],
    *,
    kind: str,
    model: str,
    machine: dict[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """Collect everything that was found, ready for JSON.

    `"ratios"` has one number a figure, the median of its turns; `"spreads"` has the ends and all turns,
    `"targets"` what there was to reach, `"rows"` what each row found, and `"skipped"` the reason for every
    figure or system that was not measured.
    """
    values = {name: turns for name in targets for row in found.values() if (turns := row.figures.get(name))}
    medians = {name: median(turns) for name, turns in values.items()}
    skipped = {what: why for row in found.values() for what, why in row.skipped.items()}
    return {
        "whatsit": machine["versions"].get("whatsit"),
        "kind": kind,
        "seconds": round(seconds, 1),
        "machine": machine,
        "model": {"name": model},
        "ratios": {name: _short(figure) for name, figure in medians.items()},
        "spreads": {
            name: {"min": _short(min(turns)), "max": _short(max(turns)), "values": [*map(_short, turns)]}
            for name, turns in values.items()
        },
        "targets": {
            name: {
                "at": "least" if targets[name].least else "most",
                "value": _short(targets[name].value),
                "reached": targets[name].reached(figure),
            }
            for name, figure in medians.items()
        },
        "rows": {name: row.data for name, row in found.items()},
        "skipped": {name: target.skipped for name, target in targets.items() if name not in values} | skipped,
    }


def _short(value: float) -> float:
    """Round to four significant digits: more would be noise."""
    return float(f"{value:.4g}")
