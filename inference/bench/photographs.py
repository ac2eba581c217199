"""What is measured with: photographs from installed packages, in every format, size and aspect ratio."""

from __future__ import annotations

import hashlib
import importlib.util
import io
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from inference.bench.numbering import PLACE

__all__ = ["ASPECTS", "FORMATS", "MEGAPIXELS", "SOURCES", "Kind", "make"]

Format = Literal["jpeg", "png", "webp"]

MEGAPIXELS = (0.3, 2.0, 12.0)
FORMATS: tuple[Format, ...] = ("jpeg", "png", "webp")
ASPECTS = ((1, 1), (4, 3), (16, 9))

# Package, file inside it: six photographs of things that ImageNet knows.
SOURCES = (
    ("skimage", "data/chelsea.png"),
    ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    ("skimage", "data/coffee.png"),
    ("skimage", "data/astronaut.png"),
    ("skimage", "data/rocket.jpg"),
    ("skimage", "data/motorcycle_left.png"),
)

# An enlarged photograph is smoother than a camera's. This grain brings a 12 MP JPEG to a telephone's 3 MB,
# 2 bits a pixel. A PNG gets none: with it 12 MP are 25 MB, which Discord and Whatsit both refuse.
GRAIN_SIGMA = 5.0
GRAIN_TILE = 512


class Kind(NamedTuple):
    """One sort of encoded picture."""

    format: Format
    megapixels: float

    def __str__(self) -> str:
        return f"{self.format} {self.megapixels:g} MP"


def make(kind: Kind, folder: Path, *, photographs: int = len(SOURCES)) -> list[Path]:
    """Write `photographs` x 3 pictures of this kind, one an aspect ratio in turn; answers with their files.

    Any run of three files has the three aspect ratios. Raises FileNotFoundError where the packages that carry
    the photographs are not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = list(product(SOURCES[:photographs], ASPECTS))

    def one(number: int) -> Path:
        (package, name), aspect = jobs[number]
        file = folder / f"{kind.format}-{kind.megapixels:g}mp-{number:02d}.{kind.format}"
        file.write_bytes(_encode(_picture(package, name, aspect, kind), kind.format, quality=88 + number % 6))
        return file

    with ThreadPoolExecutor(
        max_workers=2
    ) as pool:  # Pillow works without the GIL; more would need more memory
        return list(pool.map(one, range(len(jobs))))


def _picture(package: str, name: str, aspect: tuple[int, int], kind: Kind) -> Image.Image:
    with Image.open(_installed(package, name)) as opened:
        picture = opened.convert("RGB")
    unit = (kind.megapixels * 1e6 / (aspect[0] * aspect[1])) ** 0.5
    size = (round(aspect[0] * unit), round(aspect[1] * unit))
    picture = ImageOps.fit(picture, size, Image.Resampling.BICUBIC)
    grows = kind.megapixels > MEGAPIXELS[0] and kind.format != "png"
    return _grained(picture, seed=f"{name} {aspect} {kind}") if grows else picture


def _grained(picture: Image.Image, seed: str) -> Image.Image:
    dice = np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))
    tile = np.rint(dice.normal(0, GRAIN_SIGMA, (GRAIN_TILE, GRAIN_TILE, 3))).astype(np.int16)
    pixels = np.array(picture, dtype=np.uint8)
    height, width = pixels.shape[:2]
    for top, left in product(range(0, height, GRAIN_TILE), range(0, width, GRAIN_TILE)):
        part = pixels[top : top + GRAIN_TILE, left : left + GRAIN_TILE]
        part[:] = np.clip(part + tile[: part.shape[0], : part.shape[1]], 0, 255)
    return Image.fromarray(pixels)


def _encode(picture: Image.Image, form: Format, quality: int) -> bytes:
    out = io.BytesIO()
    if form == "jpeg":
        picture.save(out, "JPEG", quality=quality)
    elif form == "png":
        picture.save(out, "PNG", compress_level=3)
    else:
        picture.save(out, "WEBP", quality=quality, method=0, xmp=PLACE)
    return out.getvalue()


def _installed(package: str, name: str) -> Path:
    spec = importlib.util.find_spec(package)  # finds without importing: scikit-image takes seconds
    for folder in (spec.submodule_search_locations if spec else None) or ():
        if (file := Path(folder, name)).is_file():
            return file
    raise FileNotFoundError(
        f"the benchmark takes its photographs from the package {package!r} ({name}), which is not installed; "
        "install the development requirements: pip install -r requirements/dev.txt"
    )
