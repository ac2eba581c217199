"""The pictures that a model learns from: as the bot would look at them, and in random variations."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from config.settings import Limits
from inference.images.decode import DecodedImage, decode
from inference.results import InferenceError

Crop = NDArray[np.uint8]
"""What a model sees of a picture: uint8 [size, size, 3]."""

SMALLEST_PART = 0.35
"""Share of the area of the largest square that a variation shows at least."""
ODDEST_SHAPE = 4 / 3
"""How much wider than high, or higher than wide, the part may be that is made square."""
LIGHT = 0.3
"""By how much, as a share, brightness, contrast and colour vary up and down."""


def as_input(crops: Sequence[Crop]) -> NDArray[np.float32]:
    """Return crops as a network takes them: float32 [n, size, size, 3] in [0, 1]."""
    return np.stack(crops).astype(np.float32) / np.float32(255)


class LabelledFile(NamedTuple):
    """A file, and the number of its label."""

    path: Path
    label: int


class ReadPicture(NamedTuple):
    """A picture that can be read: its file, a hash of its bytes, and what the bot's first look shows."""

    file: LabelledFile
    digest: bytes
    centre: Crop


class Pictures:
    """Reads pictures as the bot does, for a model whose input is `size` pixels wide and high."""

    def __init__(self, size: int, limits: Limits) -> None:
        self.size = size
        self._limits = limits

    def read(self, file: LabelledFile) -> ReadPicture | None:
        """Return the picture, None where the bot could not read it either."""
        try:
            data = file.path.read_bytes()
            decoded = self._decode(data)
        except (InferenceError, OSError):
            return None
        return ReadPicture(file, hashlib.sha256(data).digest(), decoded.first[0])

    def centre(self, file: LabelledFile) -> Crop:
        """Return what the bot's first look would see. Raises InferenceError or OSError."""
        crop: Crop = self._decode(file.path.read_bytes()).first[0]
        return crop

    def variations(self, file: LabelledFile, count: int, random: np.random.Generator) -> Iterator[Crop]:
        """Yield `count` random variations: another part, mirrored, in another light. Raises as `centre`."""
        whole = self._decode(file.path.read_bytes()).whole.upright()
        for _ in range(count):
            pixels = whole.view(_part(whole.width, whole.height, random), self.size)
            yield _in_other_light(pixels[:, ::-1] if random.random() < 0.5 else pixels, random)  # noqa: PLR2004 - heads or tails

    def _decode(self, data: bytes) -> DecodedImage:
        return decode(data, input_size=self.size, views="1", limits=self._limits)


def _part(width: float, height: float, random: np.random.Generator) -> tuple[float, float, float, float]:
    """Return the left, top, right and bottom edge of a random part, in pixels."""
    side = min(width, height) * np.sqrt(random.uniform(SMALLEST_PART, 1.0))
    stretch = np.exp(random.uniform(-0.5, 0.5) * np.log(ODDEST_SHAPE))
    wide, high = min(side * stretch, width), min(side / stretch, height)
    left, top = random.uniform(0, width - wide), random.uniform(0, height - high)
    return left, top, left + wide, top + high


def _in_other_light(pixels: Crop, random: np.random.Generator) -> Crop:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(random.uniform(1 - LIGHT, 1 + LIGHT))
    return np.asarray(image, np.uint8)
