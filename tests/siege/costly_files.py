"""Find files that cost their decoder much: `python -m tests.siege.costly_files --seconds 60 --out DIR`.

No list says what is costly. Random files of every format are decoded in a child process, whose CPU time is
measured; those that cost most are changed a little and tried again. The command keeps the costliest of each
format and prints what they cost beside what their headers made the worker expect.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.siege.genes import Genes
from tests.siege.heif_files import avif_file, heic_file
from tests.siege.jpeg_files import jpeg_file
from tests.siege.measured_decoder import DecodeCost, MeasuredDecoder
from tests.siege.other_files import bmp_file, gif_file, tiff_file, webp_file
from tests.siege.png_files import png_file

__all__ = ["FORMATS", "CostlyFile", "costly_files", "main", "measured"]

FORMATS: dict[str, Callable[[Genes], bytes]] = {
    "jpeg": jpeg_file,
    "png": png_file,
    "webp": webp_file,
    "gif": gif_file,
    "bmp": bmp_file,
    "tiff": tiff_file,
    "avif": avif_file,
    "heic": heic_file,
}
_KEPT = 8
"""Files of each format that others are made from."""
_NEW = 0.3
"""The share of files that are made from nothing."""


@dataclass(frozen=True, slots=True)
class CostlyFile:
    """A file, and what it cost to decode. `name` says how it came about: its format, and a number."""

    name: str
    form: str
    data: bytes
    cost: DecodeCost
    genes: Genes


def costly_files(
    seed: int, seconds: float, *, most_bytes: int = 10_000_000, formats: Sequence[str] = tuple(FORMATS)
) -> Iterator[CostlyFile]:
    """Yield every file that is among the costliest of its format so far, for `seconds`.

    `seed` decides the first files; which are changed depends on what they cost on this machine. `most_bytes`
    bounds a file. With a posting of many files in mind, take the last ones that are yielded.
    """
    chance = random.Random(seed)  # noqa: S311 - seeded, so that a search can be had again
    best: dict[str, list[CostlyFile]] = {form: [] for form in formats}
    end = time.monotonic() + seconds
    with MeasuredDecoder() as decoder:
        for number in itertools.count():
            if time.monotonic() >= end:
                return
            form = formats[number % len(formats)]
            kept = best[form]
            fresh = not kept or chance.random() < _NEW
            genes = Genes(f"{seed}:{form}:{number}") if fresh else chance.choice(kept).genes.changed(chance)
            data = _built(form, genes)
            if data is None or len(data) > most_bytes:
                continue
            found = CostlyFile(f"{form}-{number}", form, data, decoder.cost(data), genes)
            kept.append(found)
            kept.sort(key=lambda each: -each.cost.core_ms)
            if found in kept[:_KEPT]:
                yield found
            del kept[_KEPT:]


def measured(paths: Sequence[Path]) -> Iterator[CostlyFile]:
    """Yield files that somebody else has made, with what they cost."""
    with MeasuredDecoder() as decoder:
        for path in paths:
            data = path.read_bytes()
            yield CostlyFile(path.stem, path.suffix.lstrip("."), data, decoder.cost(data), Genes(path.name))


def _built(form: str, genes: Genes) -> bytes | None:
    """Return the file of these genes, None where an encoder does not take them."""
    try:
        return FORMATS[form](genes)
    except (OSError, ValueError, RuntimeError, SystemError, KeyError):
        return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Search, write the costliest files to a folder, and print a table of them."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.siege.costly_files", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--seconds", type=float, default=60, help="how long to search")
    parser.add_argument("--seed", type=int, default=0, help="which files to begin with")
    parser.add_argument("--out", type=Path, help="a folder to write the costliest files to")
    parser.add_argument("--most-bytes", type=int, default=10_000_000, help="how large a file may be")
    parser.add_argument(
        "--formats", nargs="+", choices=list(FORMATS), default=list(FORMATS), metavar="FORMAT"
    )
    parser.add_argument("--keep", type=int, default=3, help="how many files of each format to show")
    asked = parser.parse_args(arguments)
    found: dict[str, list[CostlyFile]] = {form: [] for form in asked.formats}
    search = costly_files(asked.seed, asked.seconds, most_bytes=asked.most_bytes, formats=asked.formats)
    for each in search:
        found[each.form].append(each)
    print(f"{'file':<16}{'bytes':>12}{'core-ms':>9}{'estimate':>9}  how it ended")
    for files in found.values():
        for each in sorted(files, key=lambda file: -file.cost.core_ms)[: asked.keep]:
            estimate = "-" if each.cost.estimate is None else f"{each.cost.estimate:.0f}"
            print(
                f"{each.name:<16}{len(each.data):>12,}{each.cost.core_ms:>9.0f}{estimate:>9}"
                f"  {each.cost.refused or 'decoded'}"
            )
            if asked.out:
                asked.out.mkdir(parents=True, exist_ok=True)
                (asked.out / each.name).write_bytes(each.data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
