"""Real photographs, from the packages that carry them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["folder_of", "stretched"]


def folder_of(package: str) -> Path:
    """Where `package` is installed, without importing it."""
    spec = find_spec(package)
    assert spec
    assert spec.origin
    return Path(spec.origin).parent


GRACE_HOPPER = folder_of("matplotlib") / "mpl-data/sample_data/grace_hopper.jpg"
CHELSEA = folder_of("skimage") / "data/chelsea.png"
COFFEE = folder_of("skimage") / "data/coffee.png"


def stretched(path: Path, size: int = 224) -> NDArray[np.uint8]:
    """The whole picture as the TF Hub tutorial prepares it: uint8 [1, size, size, 3]."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((size, size)))[None]
