"""Files whose cost nothing foresees: what the next hole in a decoder would be like.

The worker is given `load`, in which decoding a picture of 200 to 299 pixels' width never ends. Nothing in its
header tells.
"""

from __future__ import annotations

import hashlib
import io
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image

from config import settings
from inference.images.decode import DecodedImage
from inference.images.headers import ImageHeader
from inference.models import loading
from inference.serving import batch_processor
from tests.siege.costly_files import CostlyFile
from tests.siege.genes import Genes
from tests.siege.measured_decoder import DecodeCost

__all__ = ["LOAD", "load", "unforeseen_files"]

LOAD = f"{__name__}:load"
WIDTHS = range(200, 300)
SECONDS = 60
"""Of processor time: more than any image may take."""
FORMATS = (
    ("JPEG", "RGB"),
    ("PNG", "RGB"),
    ("WEBP", "RGB"),
    ("PNG", "L"),
    ("GIF", "P"),
    ("BMP", "RGB"),
    ("JPEG", "L"),
    ("TIFF", "RGB"),
)


def load(model: settings.Model, *, report: Callable[[str, float | None], None]) -> loading.LoadedModel:
    """Load the real model into a worker whose decoder has a hole."""
    decode = batch_processor.decode  # type: ignore[attr-defined] # what it imports

    def with_a_hole(data: bytes, *, found: ImageHeader, **options: Any) -> DecodedImage:
        until = time.thread_time() + SECONDS
        while found.size[0] in WIDTHS and time.thread_time() < until:
            hashlib.sha256(bytes(1 << 16))  # lets others have the GIL, as decoders do
        return decode(data, found=found, **options)

    batch_processor.decode = with_a_hole  # type: ignore[attr-defined, assignment] # see above
    return loading.load(model, report=report)


def unforeseen_files(seed: int, count: int) -> Iterator[CostlyFile]:
    """Yield files of as many different structures as there can be."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    for number in range(count):
        form, mode = FORMATS[number % len(FORMATS)]
        height = (60, 120, 250, 500, 1000)[number // len(FORMATS) % 5] + dice.randrange(4)
        file = io.BytesIO()
        Image.new(mode, (dice.choice(WIDTHS), height), dice.randrange(200)).save(file, form)
        cost = DecodeCost(1000 * SECONDS, None, None)
        yield CostlyFile(f"{form.lower()}-{number}", form.lower(), file.getvalue(), cost, Genes(""))
