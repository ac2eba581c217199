"""Real photographs in every format, and mutants of them that a name and a number bring back.

`python -m tests.fuzz.corpus NAME NUMBER > mutant` writes one to a file.
"""

from __future__ import annotations

import random
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pillow_heif
import skimage
from PIL import Image

from tests.inference.hostile import encoded

__all__ = ["mutant", "names", "originals"]

_VARIANTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "jpeg": ("JPEG", "RGB", {}),
    "jpeg-progressive": ("JPEG", "RGB", {"progressive": True}),
    "jpeg-cmyk": ("JPEG", "CMYK", {}),
    "jpeg-exif": (
        "JPEG",
        "RGB",
        {"exif": b"Exif\0\0II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" + bytes(4)},
    ),
    "png": ("PNG", "RGB", {}),
    "png-palette": ("PNG", "P", {"transparency": 3}),
    "png-grey-alpha": ("PNG", "LA", {}),
    "png-16": ("PNG", "I;16", {}),
    "apng": ("PNG", "RGB", {"save_all": True}),
    "webp": ("WEBP", "RGB", {}),
    "webp-lossless": ("WEBP", "RGBA", {"lossless": True}),
    "webp-animated": ("WEBP", "RGB", {"save_all": True}),
    "gif": ("GIF", "P", {}),
    "gif-animated": ("GIF", "P", {"save_all": True}),
    "bmp": ("BMP", "RGB", {}),
    "bmp-palette": ("BMP", "P", {}),
    "tiff": ("TIFF", "RGB", {}),
    "tiff-lzw": ("TIFF", "RGBA", {"compression": "tiff_lzw"}),
    "tiff-jpeg": ("TIFF", "RGB", {"compression": "jpeg"}),
    "tiff-deflate-big": ("TIFF", "L", {"compression": "tiff_adobe_deflate", "big_tiff": True}),
    "tiff-g4": ("TIFF", "1", {"compression": "group4"}),
    "tiff-float": ("TIFF", "F", {}),
    "avif": ("AVIF", "RGB", {"speed": 10}),
    "avif-animated": ("AVIF", "RGB", {"save_all": True, "speed": 10}),
    "heic": ("HEIF", "RGB", {}),
    "heic-grid": ("HEIF", "RGB", {"tile_size": 64}),
}
_SIZE = (144, 96)
_INTERESTING = (0, 1, 2, 7, 8, 0x10, 0x3F, 0x7F, 0x80, 0xFE, 0xFF)
_HEADER_BYTES = 512


def names() -> list[str]:
    return list(_VARIANTS)


@cache
def originals() -> dict[str, bytes]:
    """Small photographs by name: real textures, so that codecs use all they have."""
    pillow_heif.register_heif_opener()
    folder = Path(skimage.__file__).parent / "data"
    frames = []
    for name in ("chelsea.png", "astronaut.png", "coffee.png"):
        with Image.open(folder / name) as photograph:
            frames.append(photograph.convert("RGB").resize(_SIZE))
            frames[-1].info.clear()
    files = {}
    for name, (form, mode, options) in _VARIANTS.items():
        first, *more = [_in_mode(frame, mode) for frame in frames]
        animated = {"append_images": more} if options.get("save_all") else {}
        files[name] = encoded(first, form, **options, **animated)
    return files


def _in_mode(frame: Image.Image, mode: str) -> Image.Image:
    return frame.convert("L").convert(mode) if mode in ("I;16", "F") else frame.convert(mode)


def mutant(name: str, number: int) -> bytes:
    """A damaged copy of an original; the same name and number always give the same bytes."""
    chance = random.Random(f"{name}:{number}")  # noqa: S311 - seeded, so that a find can be had again
    data = bytearray(originals()[name])
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        _damage(data, chance)
    return bytes(data)


def _damage(data: bytearray, chance: random.Random) -> None:
    end = len(data) if chance.random() < 0.5 else min(len(data), _HEADER_BYTES)  # headers are where it hurts
    if not end:
        return
    at = chance.randrange(end)
    match chance.randrange(8):
        case 0:
            data[at] ^= 1 << chance.randrange(8)
        case 1:
            data[at] = chance.choice(_INTERESTING)
        case 2:
            data[at : at + 4] = chance.randbytes(4)
        case 3:
            big = chance.choice((0, 1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, len(data), 65_500))
            data[at : at + 4] = big.to_bytes(4, chance.choice(("big", "little")))
        case 4:
            del data[at:]
        case 5:
            del data[at : at + chance.randrange(1, 64)]
        case 6:
            length = chance.randrange(1, 256)
            start = chance.randrange(len(data))
            data[at:at] = data[start : start + length]
        case 7:
            start, length = chance.randrange(len(data)), chance.randrange(1, 64)
            data[at : at + length] = data[start : start + length]


if __name__ == "__main__":
    sys.stdout.buffer.write(mutant(sys.argv[1], int(sys.argv[2])))
