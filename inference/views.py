"""Which squares of a picture the model gets to see.

`auto` looks twice: first at the centred square whose side is 7/8 of the short side; and, if that left the
model unsure, at the two squares at the ends of the long side (of a square picture, at all of it). `1` is the
first look alone. `tutorial` is the whole picture stretched to a square, as TensorFlow Hub's tutorial does it.

"7/8 of the short side" is meant exactly: for a picture of w x h pixels and m = min(w, h), the square has the
side 7m/8 and its centre at (w/2, h/2); its edges may fall between pixels, and the resampling filter takes the
share of them that lies inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Views", "as_batch", "centre", "ends", "first_look", "shrink"]

Views = Literal["auto", "1", "tutorial"]

_SPARE = 2
"""A picture is first averaged down by a whole number, keeping this many times the pixels a view needs on a
side; the antialiased filter that makes the view then has a small picture to work on."""


def centre(width: int, height: int) -> tuple[float, float, float, float]:
    """The first look: (left, top, right, bottom) of the centred square, 7/8 of the short side, in pixels."""
    side = min(width, height) * 7 / 8
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def ends(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """The second look: the squares at both ends of the long side; of a square picture, the whole."""
    side = min(width, height)
    first, last = (0, 0, side, side), (width - side, height - side, width, height)
    return [first] if first == last else [first, last]


def shrink(picture: Image.Image, input_size: int) -> Image.Image:
    """Average `picture` down to about the size that the views of it need, keeping its shape."""
    factor = min(picture.size) * 7 // (8 * input_size * _SPARE)
    return picture.reduce(factor) if factor > 1 else picture


def first_look(picture: Image.Image, views: Views, input_size: int) -> NDArray[np.uint8]:
    """One crop of an RGB picture: uint8 [s, s, 3]."""
    box = (0, 0, *picture.size) if views == "tutorial" else centre(*picture.size)
    return resample(picture, input_size, box)


def resample(
    picture: Image.Image, input_size: int, box: tuple[float, float, float, float] | None = None
) -> NDArray[np.uint8]:
    """`box` (default: all) of an RGB picture as uint8 [s, s, 3], antialiased."""
    square = picture.resize((input_size, input_size), Image.Resampling.BICUBIC, box=box)
    return np.asarray(square, dtype=np.uint8)


def as_batch(crops: Sequence[NDArray[np.uint8]], input_size: int) -> NDArray[np.uint8]:
    """Crops as one array: uint8 [n, s, s, 3]; n may be 0."""
    if not crops:
        return np.empty((0, input_size, input_size, 3), dtype=np.uint8)
    return np.stack(crops)
