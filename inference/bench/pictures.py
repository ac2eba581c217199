"""The pictures that are measured with: any original in every format, size and aspect ratio."""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from inference.bench.measuring import PLACE

PictureFormat = Literal["jpeg", "png", "webp"]
FORMATS: tuple[PictureFormat, ...] = ("jpeg", "png", "webp")
ASPECTS = ((1, 1), (4, 3), (16, 9))

# An enlarged photograph is smoother than a camera's. This grain brings a 12 MP JPEG to a telephone's 3 MB,
# 2 bits a pixel. A PNG gets none: with it 12 MP are 25 MB, which Discord and Whatsit both refuse.
GRAIN_SIGMA = 5.0
GRAIN_TILE = 512
GRAIN_FROM_MEGAPIXELS = 1.0

ORIGINALS = 6
ORIGINAL_SIDE = 720


class PictureKind(NamedTuple):
    """One sort of encoded picture."""

    format: PictureFormat
    megapixels: float

    def __str__(self) -> str:
        return f"{self.format} {self.megapixels:g} MP"


SMALL = PictureKind("jpeg", 0.3)


def draw_originals() -> list[Image.Image]:
    """Make up pictures that need no package: clouds of colour with detail at every scale, always the same."""
    dice = np.random.default_rng(7)
    originals = []
    for _ in range(ORIGINALS):
        picture = Image.new("RGB", (ORIGINAL_SIDE, ORIGINAL_SIDE), "grey")
        for detail in (4, 12, 36, 108, 324):
            noise = Image.fromarray(dice.integers(0, 256, (detail, detail, 3), np.uint8))
            picture = Image.blend(picture, noise.resize(picture.size, Image.Resampling.BICUBIC), 0.3)
        originals.append(picture)
    return originals


def make(kind: PictureKind, folder: Path, originals: Sequence[Image.Image]) -> list[Path]:
    """Write each original in the three aspect ratios, as this kind of picture, and return the files.

    Any run of three files has the three aspect ratios.
    """
    jobs = list(product(originals, ASPECTS))

    def one(number: int) -> Path:
        file = folder / f"{kind.format}-{kind.megapixels:g}mp-{number:02d}.{kind.format}"
        file.write_bytes(_encode(_cut(*jobs[number], kind, number), kind.format, quality=88 + number % 6))
        return file

    # Pillow works without the GIL; more threads would need more memory.
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(one, range(len(jobs))))


def _cut(original: Image.Image, aspect: tuple[int, int], kind: PictureKind, seed: int) -> Image.Image:
    unit = (kind.megapixels * 1e6 / (aspect[0] * aspect[1])) ** 0.5
    size = (round(aspect[0] * unit), round(aspect[1] * unit))
    picture = ImageOps.fit(original, size, Image.Resampling.BICUBIC)
    if kind.megapixels < GRAIN_FROM_MEGAPIXELS or kind.format == "png":
        return picture
    dice = np.random.default_rng(seed)
    tile = np.rint(dice.normal(0, GRAIN_SIGMA, (GRAIN_TILE, GRAIN_TILE, 3))).astype(np.int16)
    pixels = np.array(picture, dtype=np.uint8)
    height, width = pixels.shape[:2]
    for top, left in product(range(0, height, GRAIN_TILE), range(0, width, GRAIN_TILE)):
        part = pixels[top : top + GRAIN_TILE, left : left + GRAIN_TILE]
        part[:] = np.clip(part + tile[: part.shape[0], : part.shape[1]], 0, 255)
    return Image.fromarray(pixels)


def _encode(picture: Image.Image, form: PictureFormat, quality: int) -> bytes:
    options: dict[PictureFormat, dict[str, object]] = {
        "jpeg": {"quality": quality},
        "png": {"compress_level": 3},
        "webp": {"quality": quality, "method": 0, "xmp": PLACE},
    }
    out = io.BytesIO()
    picture.save(out, form.upper(), **options[form])
    return out.getvalue()
