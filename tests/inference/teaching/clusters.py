"""Made-up fingerprints: clusters around directions of their own, and a background that has none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.models.fingerprint import unit_roots
from inference.teaching.background import Background

WIDTH = 64


def cluster(number: int, count: int, *, spread: float = 0.5, seed: int = 0) -> NDArray[np.float32]:
    """Fingerprints, float32 [count, WIDTH], of pictures of the thing with this number."""
    centre = np.random.default_rng(1000 + number).exponential(size=WIDTH)
    noise = np.random.default_rng((seed, number)).exponential(size=(count, WIDTH))
    return unit_roots((centre + spread * noise).astype(np.float32))


def background(count: int = 40) -> Background:
    return Background(np.concatenate([cluster(5000 + number, 1) for number in range(count)]))
