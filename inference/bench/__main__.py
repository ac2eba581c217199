"""`python -m inference.bench`: measure, print tables, write JSON, the plot and README's ratios."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from config.loading import load
from config.settings import ConfigError, Model
from inference.bench import machine, rows
from inference.bench.pipeline import pipeline
from inference.bench.plan import FULL, QUICK, Plan, Row
from inference.bench.report import print_tables, write_readme
from inference.bench.resized import resized
from inference.bench.results import assemble
from inference.bench.stage import Failed, Stage

__all__ = ["main"]

MODEL = "efficientnet_lite0"
"""What pip brought: the same weights on every machine, with no network."""

Say = Callable[[str], None]

ROWS: dict[str, Callable[[Stage, Plan, Model, list[str], Say], Row]] = {
    # First, as the very first start of a model converts and checks it, which no other row is to pay for.
    "cold_start": rows.cold_start,
    "pipeline": pipeline,
    "event_loop": rows.event_loop,
    "decode": rows.decoding,
    "memory": rows.memory_and_growth,
    "repeat": rows.repeat,
    "resized": resized,
}
NUMBERS = {
    "0": "cold_start",
    "1": "pipeline",
    "2": "event_loop",
    "3": "decode",
    "4": "memory",
    "5": "memory",  # one run of 10,000 images gives both
    "6": "repeat",
    "7": "resized",
}
LONG = frozenset({"memory"})
"""Rows that a quick run leaves out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 measured, 1 a system failed, or a file could not be read or written; 2 bad usage."""
    asked = _parser().parse_args(arguments)
    console = Console(stderr=asked.json == "-")
    try:
        if asked.results:
            results = json.loads(asked.results.read_text(encoding="utf-8"))
        else:
            with console.status("") as status:
                results = _measure(asked, status.update)
        print_tables(results, console)
        _write(results, asked)
    except (ConfigError, Failed, OSError, ValueError) as error:
        Console(stderr=True).print(f"The benchmark ended: {error}", style="red", markup=False)
        return 1
    return 0


def _measure(asked: argparse.Namespace, say: Say) -> dict[str, Any]:
    plan = QUICK if asked.quick else FULL
    wanted = asked.rows or ROWS.keys() - (LONG if asked.quick else frozenset())
    model = Model(
        name=asked.model, cache_dir=load().model.cache_dir
    )  # the rest at its defaults, here as anywhere
    described = machine.describe()
    began = time.perf_counter()
    found = {}
    with tempfile.TemporaryDirectory(prefix="whatsit-bench-") as folder, Stage(Path(folder)) as stage:
        for name, row in ROWS.items():
            if name in wanted:
                found[name] = row(stage, plan, model, asked.also, say)
    return assemble(
        found,
        kind="quick" if asked.quick else "full",
        model=asked.model,
        machine=described,
        seconds=time.perf_counter() - began,
    )


def _write(results: dict[str, Any], asked: argparse.Namespace) -> None:
    text = json.dumps(results, indent=2) + "\n"
    if asked.json == "-":
        sys.stdout.write(text)
    elif asked.json:
        Path(asked.json).write_text(text, encoding="utf-8")
    if asked.plot:
        from inference.bench.plot import draw  # noqa: PLC0415  # matplotlib is only a development dependency

        draw(results, asked.plot)
    if asked.readme:
        write_readme(results, asked.readme, asked.plot)


def _selected(text: str) -> frozenset[str]:
    names = [part.strip() for part in text.split(",")]
    if unknown := [name for name in names if name not in NUMBERS and name not in ROWS]:
        raise argparse.ArgumentTypeError(f"no row {', '.join(unknown)}; there are {_listing()}")
    return frozenset(NUMBERS.get(name, name) for name in names)


def _listing() -> str:
    return ", ".join(f"{number} {name}" for number, name in NUMBERS.items())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under three minutes on two quiet cores")
    parser.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="write the results; to standard output without FILE",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the throughput, as SVG")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="put the ratios between README's markers")
    parser.add_argument(
        "--from", dest="results", type=Path, metavar="FILE", help="measure nothing: these are the results"
    )
    parser.add_argument("--rows", type=_selected, metavar="ROW,ROW", help=f"only these of {_listing()}")
    parser.add_argument("--model", default=MODEL, metavar="NAME", help=f"what to measure with ({MODEL})")
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="MODULE",
        help="import this into the process that stands for the bot, as the real one does; may be repeated",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
