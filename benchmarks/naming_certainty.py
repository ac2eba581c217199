"""Measure how often each word of an answer is right: sure, probably, maybe, not sure.

`python -m benchmarks.naming_certainty` prints the table of ARCHITECTURE.md for the photographs of Debian's
package tuxpaint-stamps-default; with FOLDER and TRUTH it does so for other pictures. TRUTH has a line for
each: the file, a tab, and the labels, everyday names or classes of ImageNet (0 to 999) that are right for it,
with commas between them, or `-` where no class is.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.presentation.naming import Certainty, Finding
from config.settings import Answers, Settings
from inference.results import Classification, ModelInfo
from inference.serving.client import Classifier

STAMPS = Path("/usr/share/tuxpaint/stamps"), Path(__file__).with_name("stamps.tsv")
"""Where Debian's package puts its photographs, and what they show."""
MODEL = "efficientnet_lite0"
AHEAD = 24
"""Pictures classified at once."""


@dataclass(frozen=True, slots=True)
class NamedPicture:
    """One picture as it was named, and the names that are right for it; none where no class is."""

    finding: Finding
    right_names: frozenset[str]

    @property
    def right(self) -> bool:
        """Whether the name that was said is right."""
        return self.finding.said in self.right_names


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 0, or 2 where there are no pictures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.naming_certainty", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folder", nargs="?", type=Path, default=STAMPS[0], help="a folder of pictures")
    parser.add_argument("truth", nargs="?", type=Path, default=STAMPS[1], help="what they show")
    asked = parser.parse_args(arguments)
    if not asked.folder.is_dir():
        print(f"{asked.folder} is not there: apt-get install tuxpaint-stamps-default", file=sys.stderr)
        return 2
    pictures = asyncio.run(_named(asked.folder, read_truth(asked.truth)))
    for title, has_class in (("with a class", True), ("without", False)):
        if chosen := [picture for picture in pictures if bool(picture.right_names) is has_class]:
            print(f"{len(chosen)} pictures {title}", *table(chosen), "", sep="\n")
    return 0


def read_truth(file: Path) -> dict[str, frozenset[str]]:
    """Return the names that are right for each file."""
    lines = (line for line in file.read_text("utf-8").splitlines() if not line.startswith("#"))
    pairs = (line.split("\t") for line in lines)
    return {name: frozenset() if names == "-" else frozenset(names.split(", ")) for name, names in pairs}


def table(pictures: Sequence[NamedPicture]) -> Iterable[str]:
    """Yield the rows of a table in markdown: each word, how often it was said, and how often it was right."""
    said = Counter(picture.finding.certainty for picture in pictures)
    right = Counter(picture.finding.certainty for picture in pictures if picture.right)
    yield from ("| said | pictures | right |", "|---|---|---|")
    for word in reversed(Certainty):
        yield _row(word.name.lower().replace("_", " "), said[word], right[word], len(pictures))
    outright = [picture for picture in pictures if picture.finding.certainty >= Certainty.PROBABLY]
    yield _row("sure or probably", len(outright), sum(each.right for each in outright), len(pictures))


def _row(word: str, said: int, right: int, of: int) -> str:
    return f"| {word} | {said} ({said / of:.0%}) | {f'{right / said:.0%}' if said else '-'} |"


async def _named(folder: Path, truth: dict[str, frozenset[str]]) -> list[NamedPicture]:
    classifier = Classifier(Settings.model_validate({"model": {"name": MODEL}}))
    try:
        info = await classifier.start()
        named: list[NamedPicture] = []
        files = list(truth)
        for first in range(0, len(files), AHEAD):
            some = files[first : first + AHEAD]
            data = [(folder / name).read_bytes() for name in some]
            found = await asyncio.gather(*map(classifier.classify, data))
            named += [_judged(each, truth[name], info) for each, name in zip(found, some, strict=True)]
        return named
    finally:
        await classifier.close()


def _judged(result: Classification, right: frozenset[str], info: ModelInfo) -> NamedPicture:
    labels = {info.labels[int(name)] if name.isdigit() else name for name in right}
    everyday = {info.coarse[info.labels.index(label)] for label in labels if label in info.labels}
    names = frozenset([*labels, *(name for name in everyday if name is not None)])
    return NamedPicture(Finding.of(result, Answers().min_confidence), names)


if __name__ == "__main__":
    sys.exit(main())
