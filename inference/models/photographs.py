"""Photographs to calibrate a model on and to judge it by, and random crops of them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from inference.images.views import DecodedFrame

PACKAGES = {"matplotlib": "mpl-data/sample_data", "skimage": "data", "sklearn": "datasets/images"}
"""Packages that carry photographs, and the folder inside each."""

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}
SMALLEST_SIDE = 200
LARGEST_SIDE = 1024
MOST = 500


def load_photographs(folder: Path | None) -> list[Image.Image]:
    """Load the pictures in `folder`, or without one those of installed packages.

    They are RGB, at least `SMALLEST_SIDE` and at most `LARGEST_SIDE` pixels wide and high, and at most
    `MOST`.
    """
    loaded: list[Image.Image] = []
    for file in _files(folder):
        try:
            with Image.open(file) as image:
                if min(image.size) < SMALLEST_SIDE:
                    continue
                image.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))
                image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
                loaded.append(image.convert("RGB"))
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
            continue  # an owner's folder holds all sorts of files
        if len(loaded) == MOST:
            break
    return loaded


def random_crops(
    pictures: list[Image.Image], size: int, count: int, random: np.random.Generator
) -> Iterator[NDArray[np.uint8]]:
    """Cut `count` random crops, uint8 [1, size, size, 3], of 20 to 100 % of a picture's area.

    The pictures take turns, and about half of the crops are mirrored.
    """
    for i in range(count):
        picture = pictures[i % len(pictures)]
        side = int(min(picture.size) * np.sqrt(random.uniform(0.2, 1)))
        left, top = (int(random.integers(0, length - side + 1)) for length in picture.size)
        pixels = DecodedFrame(picture, *picture.size).view((left, top, left + side, top + side), size)[None]
        yield pixels[:, :, ::-1] if random.random() < 0.5 else pixels  # noqa: PLR2004 - heads or tails


def _files(folder: Path | None) -> Iterator[Path]:
    folders = [folder] if folder else []
    for package, inside in PACKAGES.items() if folder is None else ():
        spec = importlib.util.find_spec(package)
        folders += [Path(place, inside) for place in spec.submodule_search_locations or ()] if spec else []
    for place in folders:
        yield from sorted(path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES)
