"""Measure how well and how fast pictures are found again, and write the tables as Markdown."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.finding.changes import CHANGES
from benchmarks.finding.fingerprinting import ORIGINAL, look_at, pictures_in
from benchmarks.finding.reposts import repost_scores
from benchmarks.finding.scale import measure_scale
from benchmarks.finding.tables import page
from benchmarks.naming_certainty import STAMPS

PICTURES = 1200
SIZES = (100_000, 1_000_000)
FIGURES = "<!-- `make bench-find` writes what follows -->\n\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 measured, 2 there are no pictures."""
    asked = _parser().parse_args(arguments)
    try:
        files = pictures_in(asked.folders)[: asked.pictures]
    except FileNotFoundError as error:
        print(f"{error}; the usual ones: apt-get install tuxpaint-stamps-default", file=sys.stderr)
        return 2
    looks = asyncio.run(look_at(files, CHANGES))
    halves = np.array_split(np.arange(len(files)), 2)
    fitting, judging = (repost_scores(looks, half) for half in halves)
    scales = [measure_scale(looks[ORIGINAL].fingerprints, size) for size in asked.sizes]
    text = page(len(files), fitting, judging, scales)
    print(text)
    if asked.out:
        write_figures(asked.out, text)
    return 0


def write_figures(file: Path, figures: str) -> None:
    """Write the figures behind the words of a page, in place of earlier ones."""
    page = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(page.partition(FIGURES)[0] + FIGURES + figures, encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.finding", description=__doc__)
    parser.add_argument(
        "folders", nargs="*", type=Path, default=[STAMPS[0]], help=f"folders of pictures ({STAMPS[0]})"
    )
    parser.add_argument("--pictures", type=int, default=PICTURES, help=f"at most so many ({PICTURES})")
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=SIZES, help="pictures in the large indexes (100000 1000000)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the tables there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
