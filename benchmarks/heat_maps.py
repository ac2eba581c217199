"""Measure how often the warmest place of a heat map lies in what was named, and how long a map takes.

`python -m benchmarks.heat_maps` pastes cut-out photographs of Debian's package tuxpaint-stamps-default, whose
right names stand in `stamps.tsv`, into other photographs, at places and in sizes drawn from a fixed seed, and
asks for the heat map of the right class that the model holds most likely. A picture counts where that class
is among the ten best: of what the model does not see, no map can tell where it is.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.naming_certainty import MODEL, STAMPS, read_truth
from config.settings import Settings
from inference.models.photographs import load_photographs
from inference.serving.client import Classifier

SHAPES = ((640, 480), (480, 640), (512, 512), (800, 450))
SHARES = (0.5, 0.8)
"""Least and greatest height or width of a cut-out, as a share of the scene's short side."""
SEED = 12
HALF = 127
"""From this opacity on a pixel belongs to the cut-out."""


@dataclass(frozen=True, slots=True)
class ComposedPicture:
    """A scene with a cut-out in it. `mask`, bool [height, width], is where the cut-out is."""

    png: bytes
    mask: NDArray[np.bool_]
    right_names: frozenset[str]

    def hits(self, heat: NDArray[np.uint8]) -> tuple[bool, bool]:
        """Return whether the warmest cell of `heat`, uint8 [rows, columns], touches the cut-out itself, and
        whether it touches the rectangle around it: a tricycle has gaps."""
        row, column = np.unravel_index(heat.argmax(), heat.shape)
        height, width = self.mask.shape
        top, bottom = _span(int(row), heat.shape[0], height)
        left, right = _span(int(column), heat.shape[1], width)
        around = np.zeros_like(self.mask)
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        around[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
        return bool(self.mask[top:bottom, left:right].any()), bool(around[top:bottom, left:right].any())


def _span(cell: int, cells: int, pixels: int) -> tuple[int, int]:
    """Return the first pixel of a cell and the one behind its last."""
    first = cell * pixels // cells
    return first, max((cell + 1) * pixels // cells, first + 1)


def compose(count: int) -> Iterator[ComposedPicture]:
    """Make `count` pictures, always the same ones. Raises FileNotFoundError without the package of stamps."""
    folder, truth_file = STAMPS
    random = np.random.default_rng(SEED)
    stamps = sorted((name, right) for name, right in read_truth(truth_file).items() if right)
    scenes = load_photographs(None)
    for number in range(count):
        name, right = stamps[random.integers(len(stamps))]
        shape = SHAPES[number % len(SHAPES)]
        scene = scenes[random.integers(len(scenes))].resize(shape)
        with Image.open(folder / name) as file:
            cut_out = file.convert("RGBA")
        side = random.uniform(*SHARES) * min(shape)
        scale = side / max(cut_out.size)
        cut_out = cut_out.resize(
            (max(round(cut_out.width * scale), 1), max(round(cut_out.height * scale), 1))
        )
        place = tuple(
            int(random.integers(0, room - own + 1)) for room, own in zip(shape, cut_out.size, strict=True)
        )
        scene.paste(cut_out, (place[0], place[1]), cut_out)
        mask = Image.new("L", shape)
        mask.paste(cut_out.getchannel("A"), (place[0], place[1]))
        yield ComposedPicture(_png(scene), np.asarray(mask) > HALF, right)


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; return 1 where the stamps are not installed."""
    parser = argparse.ArgumentParser(description="Measure how often a heat map points at what was named.")
    parser.add_argument("--pictures", type=int, default=300, help="pictures to compose (default: 300)")
    options = parser.parse_args(arguments)
    if not STAMPS[0].is_dir():
        print("There are no stamps: apt-get install tuxpaint-stamps-default.", file=sys.stderr)
        return 1
    asyncio.run(_measure(options.pictures))
    return 0


async def _measure(count: int) -> None:
    classifier = Classifier(Settings.model_validate({"model": {"name": MODEL}}))
    hits: list[tuple[bool, bool]] = []
    milliseconds: list[float] = []
    try:
        info = await classifier.start()
        for composed in compose(count):
            named = await classifier.classify(composed.png, top=10)
            right = [
                label
                for label in named.labels
                if composed.right_names & {label.name, label.coarse or "", str(label.index)}
            ]
            if not right:
                continue
            started = time.perf_counter()
            explained = await classifier.explain(composed.png, [right[0].index])
            milliseconds.append(1000 * (time.perf_counter() - started))
            heat = np.frombuffer(explained.maps[0], np.uint8).reshape(explained.rows, explained.columns)
            hits.append(composed.hits(heat))
    finally:
        await classifier.close()
    inside, around = (sum(each) for each in zip(*hits, strict=True))
    print(f"{info.name} on {info.engine}, {len(hits)} maps of what was pasted into a picture:")
    print(f"warmest in it {inside / len(hits):.1%}, in the rectangle around it {around / len(hits):.1%}")
    print(f"left out: {count - len(hits)} of {count} pictures, where its name is not among the ten best")
    print(f"milliseconds a map, alone: median {statistics.median(milliseconds):.0f}")


if __name__ == "__main__":
    sys.exit(main())
