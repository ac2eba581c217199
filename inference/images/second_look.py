"""When a picture is looked at a second time, and where: at both ends, if the centre left the model unsure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.images.views import Box

SURE = 0.8
"""A first look is enough where the top probability is at least this, as the design measured it."""


def needs_second_look(probabilities: NDArray[np.float64]) -> bool:
    """Return whether the first look, whose probabilities [classes] these are, left the model unsure."""
    return bool(probabilities.max() < SURE)


def ends(width: float, height: float) -> list[Box]:
    """Return the second look: the squares at both ends of the long side; of a square picture, the whole."""
    side = min(width, height)
    first, last = (0.0, 0.0, side, side), (width - side, height - side, width, height)
    return [first] if first == last else [first, last]
