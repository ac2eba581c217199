"""Results as tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Column, Table

from inference.bench.machine import sentence
from inference.bench.targets import BenchTarget

QUIET_LOAD = 0.3
"""Load above which something else was running when the benchmark began."""


class ReachedFigure(NamedTuple):
    """One figure in words: what was measured, the median, the ends of its turns, what there is to reach."""

    words: str
    figure: str
    ends: str
    aim: str
    reached: bool


def reached(results: dict[str, Any], targets: Mapping[str, BenchTarget]) -> Iterator[ReachedFigure]:
    """Put every figure of the results into words."""
    for name, figure in results["ratios"].items():
        target, spread = targets[name], results["spreads"][name]
        ends = f"{target.shown(spread['min'])} to {target.shown(spread['max'])}"
        ends = ends if len(spread["values"]) > 1 else "one turn"
        yield ReachedFigure(target.words, target.shown(figure), ends, target.aim(), target.reached(figure))


def print_tables(results: dict[str, Any], console: Console, targets: Mapping[str, BenchTarget]) -> None:
    """Print what every row found, then the figures beside what there is to reach."""
    for name, data in results["rows"].items():
        for table in _tables(name, data):
            console.print(table)
    table = Table("", "figure", "of single turns", "to reach", "", title="What there is to reach")
    for row in reached(results, targets):
        mark = "[green]reached[/]" if row.reached else "[red]not reached[/]"
        table.add_row(row.words, row.figure, row.ends, row.aim, mark)
    console.print(table)
    for name, reason in results["skipped"].items():
        console.print(f"Not measured: {name}. {reason}", style="yellow", markup=False)
    console.print(
        f"{sentence(results['machine'])}. Model {results['model']['name']}, {results['kind']} run.",
        markup=False,
    )
    if results["machine"]["busy"] > QUIET_LOAD:
        console.print(
            f"This machine was not quiet (load {results['machine']['busy']} at the start): measure again.",
            style="yellow",
        )


def _tables(title: str, data: Any) -> Iterator[Table]:
    """Make a table of each list of measurements, and one of the single values."""
    if isinstance(data, list):
        rows = [dict(_flat(one)) for one in data]
        first, *others = rows[0]
        table = Table(Column(first, no_wrap=True), *others, title=title)
        for row in rows:
            table.add_row(*row.values())
        yield table
        return
    lists = {key: value for key, value in data.items() if isinstance(value, list) and _is_table(value)}
    for key, value in lists.items():
        yield from _tables(f"{title}, {key}", value)
    table = Table(title=title, show_header=False)
    for name, text in _flat({key: value for key, value in data.items() if key not in lists}):
        table.add_row(name, text)
    if table.row_count:
        yield table


def _is_table(values: list[Any]) -> bool:
    return bool(values) and isinstance(values[0], dict)


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """List names and values, those of inner dictionaries behind the outer name."""
    for key, value in data.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, dict):
            yield from _flat(value, f"{name} ")
        else:
            yield name, ", ".join(map(_worded, value)) if isinstance(value, list) else _worded(value)


def _worded(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
