"""Pictures as members post them: photographs of several sizes and formats, no two of the same bytes."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

from PIL import Image

from bot.demo.stage import PHOTOGRAPHS

__all__ = ["honest_pictures"]

SHAPES = (
    ("JPEG", (4000, 3000)),  # as telephones make them
    ("JPEG", (1600, 1200)),
    ("WEBP", (1280, 960)),
    ("PNG", (1024, 768)),
    ("JPEG", (640, 480)),
    ("GIF", (480, 360)),
)


def honest_pictures(dice: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield (file name, bytes) without end; made once, and told apart by their last bytes.

    What follows the end of a picture is part of the file, and changes nothing in what it shows.
    """
    made = [
        (f"{photograph.path.stem}.{format_.lower()}", _encoded(image, format_, size))
        for photograph in PHOTOGRAPHS
        for image in [Image.open(photograph.path).convert("RGB")]
        for format_, size in SHAPES
    ]
    while True:
        name, data = dice.choice(made)
        yield name, data + dice.randbytes(8)


def _encoded(image: Image.Image, format_: str, size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    image.resize(size).save(file, format_)
    return file.getvalue()
