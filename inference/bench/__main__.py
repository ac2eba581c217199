"""The short benchmark: how fast Whatsit is on this machine, in about a minute."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from config.loading import load
from config.settings import ConfigError, Model
from inference.bench import machine, rows
from inference.bench.measured_process import MeasurementFailed
from inference.bench.report import print_tables
from inference.bench.results import assemble
from inference.bench.rows import BenchRow
from inference.bench.session import BenchSession
from inference.bench.targets import TARGETS, BenchTarget

MODEL = "efficientnet_lite0"
"""What pip brought: the same weights on every machine, with no network."""

ROWS: Mapping[str, Callable[[BenchSession], BenchRow]] = {
    # First, as the very first start of a model converts and checks it, which no other row is to pay for.
    "cold_start": rows.cold_start,
    "throughput": rows.throughput,
    "event_loop": rows.event_loop,
    "repeat": rows.known_images,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 measured, 1 a system failed or a file could not be written, 2 bad usage."""
    parser = argparse.ArgumentParser(prog="whatsit bench", description=__doc__)
    add_options(parser)
    parser.add_argument("--also", action="append", default=[], help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    console = Console(stderr=asked.json == "-")
    try:
        results = measure(ROWS, TARGETS, asked.model, console, kind="short", also=asked.also)
        print_tables(results, console, TARGETS)
        write_json(results, asked.json)
    except (ConfigError, MeasurementFailed, OSError) as error:
        Console(stderr=True).print(f"The benchmark ended: {error}", style="red", markup=False)
        return 1
    return 0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every benchmark has."""
    parser.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="write the results; to standard output without FILE",
    )
    parser.add_argument("--model", default=MODEL, metavar="NAME", help=f"what to measure with ({MODEL})")


def measure(
    wanted: Mapping[str, Callable[[BenchSession], BenchRow]],
    targets: Mapping[str, BenchTarget],
    model: str,
    console: Console,
    *,
    kind: str,
    **options: Any,
) -> dict[str, Any]:
    """Measure these rows and assemble what they found; `options` are those of `BenchSession`."""
    # Everything but the model's name and its place has its default, so that figures can be compared.
    settings = Model(name=model, cache_dir=load().model.cache_dir)
    described = machine.describe()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="whatsit-bench-") as folder, console.status("") as status:
        session = BenchSession(Path(folder), settings, report=status.update, **options)
        found = {name: row(session) for name, row in wanted.items()}
    seconds = time.perf_counter() - began
    return assemble(found, targets, kind=kind, model=model, machine=described, seconds=seconds)


def write_json(results: dict[str, Any], file: str | None) -> None:
    """Write the results to `file`, to standard output for "-", nowhere for None."""
    text = json.dumps(results, indent=2) + "\n"
    if file == "-":
        sys.stdout.write(text)
    elif file:
        Path(file).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
