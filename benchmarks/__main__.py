"""Compare Whatsit with others on this machine: print tables, write JSON, the plot and README's ratios."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.photographs import photographs
from benchmarks.pipeline import pipeline
from benchmarks.plan import FULL, QUICK, BenchPlan
from benchmarks.plot import draw
from benchmarks.report import write_readme
from benchmarks.resized_downloads import resized_downloads
from benchmarks.rows import decoding, memory_and_growth
from benchmarks.targets import TARGETS
from config.settings import ConfigError
from inference.bench.__main__ import add_options, measure, write_json
from inference.bench.measured_process import MeasurementFailed
from inference.bench.report import print_tables
from inference.bench.rows import BenchRow, cold_start, event_loop, known_images
from inference.bench.session import BenchSession

ALSO = ("bot.run",)
"""What the process that stands for the bot imports too: its memory and its start are then a real bot's."""

PlannedRow = Callable[[BenchSession, BenchPlan], BenchRow]

ROWS: Mapping[str, PlannedRow] = {
    # First, as the very first start of a model converts and checks it, which no other row is to pay for.
    "cold_start": lambda session, plan: cold_start(session, starts=plan.cold_starts),
    "pipeline": pipeline,
    "event_loop": lambda session, plan: event_loop(session, count=plan.stall_count),
    "decode": decoding,
    "memory": memory_and_growth,
    "repeat": lambda session, plan: known_images(session, count=plan.known_count),
    "resized": resized_downloads,
}
LONG = frozenset({"memory"})
"""Rows that a quick run leaves out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 measured, 1 a system failed or a file was of no use, 2 bad usage."""
    asked = _parser().parse_args(arguments)
    console = Console(stderr=asked.json == "-")
    try:
        if asked.results:
            results = json.loads(asked.results.read_text(encoding="utf-8"))
        else:
            results = _measure(asked, console)
        print_tables(results, console, TARGETS)
        write_json(results, asked.json)
        if asked.plot:
            draw(results, asked.plot)
        if asked.readme:
            write_readme(results, asked.readme, asked.plot)
    except (ConfigError, MeasurementFailed, OSError, ValueError) as error:
        Console(stderr=True).print(f"The benchmark ended: {error}", style="red", markup=False)
        return 1
    return 0


def _measure(asked: argparse.Namespace, console: Console) -> dict[str, Any]:
    plan, kind = (QUICK, "quick") if asked.quick else (FULL, "full")
    wanted = asked.rows or ROWS.keys() - (LONG if asked.quick else frozenset())
    rows = {name: partial(_in_plan, row, plan) for name, row in ROWS.items() if name in wanted}
    return measure(
        rows,
        TARGETS,
        asked.model,
        console,
        kind=kind,
        also=ALSO,
        originals=photographs,
        whatsit="benchmarks.compared_whatsit:ComparedWhatsit",
    )


def _in_plan(row: PlannedRow, plan: BenchPlan, session: BenchSession) -> BenchRow:
    return row(session, plan)


def _selected(text: str) -> frozenset[str]:
    names = frozenset(part.strip() for part in text.split(","))
    if unknown := sorted(names - ROWS.keys()):
        raise argparse.ArgumentTypeError(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add_options(parser)
    parser.add_argument("--quick", action="store_true", help="under three minutes on two quiet cores")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the throughput, as SVG")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="put the ratios between README's markers")
    parser.add_argument(
        "--from", dest="results", type=Path, metavar="FILE", help="measure nothing: these are the results"
    )
    parser.add_argument("--rows", type=_selected, metavar="ROW,ROW", help=f"only these of {', '.join(ROWS)}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
