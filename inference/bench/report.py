"""Results as a person reads them: tables on the terminal, and the block of ratios in README."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from inference.bench.machine import sentence
from inference.bench.targets import TARGETS, shown

__all__ = ["BEGIN", "END", "block", "print_tables", "write_readme"]

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def print_tables(results: dict[str, Any], console: Console) -> None:
    """Each row that was measured, then the ratios beside what there was to reach."""
    for name, draw in _TABLES.items():
        if name in results["rows"]:
            for table in draw(results["rows"][name]):
                console.print(table)
    console.print(_targets(results))
    for name, reason in results["skipped"].items():
        console.print(f"Not measured: {name}. {reason}", style="yellow", markup=False)
    console.print(
        f"{sentence(results['machine'])}. Model {results['model']['name']}, {results['kind']} run.",
        markup=False,
    )
    if results["machine"]["busy"] > QUIET:
        console.print(
            f"This machine was not quiet (load {results['machine']['busy']} at the start): measure again.",
            style="yellow",
        )


QUIET = 0.3
"""Load above which something else was running when the benchmark began."""


def block(results: dict[str, Any]) -> str:
    """The ratios as Markdown, with their spread, what there was to reach, and the machine."""
    lines = [
        "| measured | ratio or figure | of single turns | to reach |",
        "|---|---|---|---|",
    ]
    for name, target in TARGETS.items():
        if name not in results["ratios"]:
            continue
        spread = results["spreads"][name]
        ends = f"{shown(spread['min'], target.unit)} to {shown(spread['max'], target.unit)}"
        mark = "" if target.reached(results["ratios"][name]) else " (not reached)"
        lines.append(
            f"| {target.words} | **{shown(results['ratios'][name], target.unit)}** "
            f"| {ends if len(spread['values']) > 1 else 'one turn'} | {_aim(name)}{mark} |"
        )
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


def _aim(name: str) -> str:
    target = TARGETS[name]
    return f"at {'least' if target.least else 'most'} {shown(target.value, target.unit)}"


def _targets(results: dict[str, Any]) -> Table:
    table = Table("", "figure", "of single turns", "to reach", "", title="What there is to reach")
    for name, target in TARGETS.items():
        if name not in results["ratios"]:
            continue
        figure, spread = results["ratios"][name], results["spreads"][name]
        table.add_row(
            target.words,
            shown(figure, target.unit),
            f"{shown(spread['min'], target.unit)} to {shown(spread['max'], target.unit)}",
            _aim(name),
            "[green]reached[/]" if target.reached(figure) else "[red]not reached[/]",
        )
    return table


def _pipeline(data: dict[str, Any]) -> list[Table]:
    small = Table(
        "", "in flight", "images/s", "p50", "p95", "p99 ms", "core-ms", title="1 pipeline, 0.3 MP JPEGs"
    )
    for one in sorted(data["small"], key=lambda one: (one["in_flight"], -one["images_per_second"])):
        small.add_row(
            one["system"],
            str(one["in_flight"]),
            f"{one['images_per_second']:.1f} ({one['low']:.1f} to {one['high']:.1f})",
            *(f"{one[f'p{percent}_ms']:.1f}" for percent in (50, 95, 99)),
            f"{one['core_ms']:.2f}",
        )
    if data["views_of_auto"]:
        small.caption = f"views = auto looked at {data['views_of_auto']} crops an image"
    kinds = Table("", "Whatsit images/s", "usual bot images/s", "ratio", title="1 pipeline, 64 in flight")
    for one in data["kinds"]:
        kinds.add_row(
            one["kind"],
            f"{one['Whatsit']['images_per_second']:.1f}",
            f"{one['usual bot']['images_per_second']:.1f}",
            f"{one['ratio']:.2f}x",
        )
    return [small, kinds]


def _event_loop(data: dict[str, Any]) -> list[Table]:
    table = Table("", "p50 ms", "p99", "longest", title=f"2 event loop, {data['in_flight']} in flight")
    for name in ("busy", "idle"):
        table.add_row(name, *(f"{data[name][key]:.2f}" for key in ("p50_ms", "p99_ms", "max_ms")))
    return [table]


def _decode(data: list[dict[str, Any]]) -> list[Table]:
    table = Table("", "kB", "full ms", "scaled ms", "", title="3 decode, one thread")
    for one in data:
        table.add_row(
            one["kind"],
            str(one["kilobytes"]),
            f"{one['full_ms']:.1f}",
            f"{one['scaled_ms']:.1f}",
            f"{one['full_ms'] / one['scaled_ms']:.1f}x",
        )
    return [table]


def _memory(data: dict[str, Any]) -> list[Table]:
    table = Table("", "bot MB", "worker MB", "seconds", title="4 memory, 5 growth (64 in flight)")
    table.add_row("idle", f"{data['idle']['bot_mb']:.0f}", f"{data['idle']['worker_mb']:.0f}", "")
    waiting = data["waiting"]
    table.add_row(
        f"{waiting['images']} of {waiting['megabytes_each']} MB waiting, peak",
        f"{waiting['bot_peak_mb']:.0f}",
        f"{waiting['after']['worker_mb']:.0f}",
        f"{waiting['seconds']:.1f}",
    )
    for run in data["runs"]:
        table.add_row(
            f"after {run['images']:,} more",
            f"{run['bot_mb']:.0f}",
            f"{run['worker_mb']:.0f}",
            f"{run['seconds']:.1f}",
        )
    return [table]


def _repeat(data: dict[str, Any]) -> list[Table]:
    table = Table("new ms", "known ms", title="6 repeat, alone")
    table.add_row(f"{data['new_ms']:.2f}", f"{data['known_ms']:.3f}")
    return [table]


def _resized(data: dict[str, Any]) -> list[Table]:
    table = Table("", "kB", "ms", "core-ms", title="7 resized downloads, 12 MP JPEGs, each, 8 in flight")
    for way in ("whole", "small"):
        table.add_row(way, *(f"{data[way][key]:.1f}" for key in ("kilobytes", "ms", "core_ms")))
    table.caption = (
        f"{data['times_fewer_bytes']} times fewer bytes, {data['times_faster']} times faster, "
        f"the same first label on {data['same_top_label']:.0%}"
    )
    return [table]


_TABLES: Mapping[str, Callable[[Any], list[Table]]] = {
    "pipeline": _pipeline,
    "event_loop": _event_loop,
    "decode": _decode,
    "memory": _memory,
    "repeat": _repeat,
    "resized": _resized,
}
