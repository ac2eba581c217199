"""README's block of ratios."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.targets import TARGETS
from inference.bench.machine import sentence
from inference.bench.report import reached

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def block(results: dict[str, Any]) -> str:
    """Write the ratios as Markdown, with their spread, what there was to reach, and the machine."""
    lines = [
        "| measured | ratio or figure | of single turns | to reach |",
        "|---|---|---|---|",
    ]
    for row in reached(results, TARGETS):
        mark = "" if row.reached else " (not reached)"
        lines.append(f"| {row.words} | **{row.figure}** | {row.ends} | {row.aim}{mark} |")
    if views := results["rows"].get("pipeline", {}).get("views_of_auto"):
        lines += ["", f"With `views = auto` these photographs took {views} crops each, on average."]
    lines += [
        "",
        f"{sentence(results['machine'])}; model `{results['model']['name']}`; {results['kind']} run.",
    ]
    return "\n".join(lines)


def write_readme(results: dict[str, Any], readme: Path, plot: Path | None = None) -> None:
    """Put the block, and the plot, between the two markers. Raises ValueError where README has none."""
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(
            f"{readme.name} has no place for the ratios: put {BEGIN} and {END} where they belong"
        )
    lines = [BEGIN, block(results)]
    if plot:
        address = Path(os.path.relpath(plot, readme.parent)).as_posix()
        lines += ["", f"![Images a second, by system and images in flight]({address})"]
    readme.write_text(before + "\n".join([*lines, END]) + after, encoding="utf-8")
