"""Fingerprints in short: 256 numbers of 8 bits, whose products are nearly those of the fingerprints.

A random projection keeps products up to a small error (Johnson and Lindenstrauss 1984). It is drawn from a
fixed seed, so no data have to come with the program. Fingerprints of all pictures have much in common, which
would take most of the 8 bits: so what is projected is how they differ from one `centre`, and what the centre
itself adds to a product is kept beside it, exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 256
SEED = 12
LARGEST = 127
WORDS = DIMENSIONS // 64
"""Numbers of 64 bits that hold the signs of the dimensions."""


class ShortForm(NamedTuple):
    """Fingerprints in short, a row each.

    The product of fingerprint i with a query is nearly `scales[i] * codes[i] @ q + offsets[i]`, where q is
    what `Projection.query` makes of it, plus a number that is the same for all i. `codes` is int8
    [n, DIMENSIONS], `scales` and `offsets` are float32 [n], and `signs`, uint64 [n, WORDS], has a bit for
    each dimension: whether it is above 0.
    """

    codes: NDArray[np.int8]
    scales: NDArray[np.float32]
    offsets: NDArray[np.float32]
    signs: NDArray[np.uint64]


class Projection:
    """Shortens fingerprints of as many numbers as `centre`, float32 [width], has: any typical one will do."""

    def __init__(self, centre: NDArray[np.float32]) -> None:
        self._centre = centre
        drawn = np.random.default_rng(SEED).standard_normal((len(centre), DIMENSIONS), np.float32)
        self._matrix = drawn / np.float32(np.sqrt(DIMENSIONS))

    def shorten(self, fingerprints: NDArray[np.float32]) -> ShortForm:
        """Return the short form of fingerprints, float32 [n, width]."""
        projected = (fingerprints - self._centre) @ self._matrix
        largest = np.abs(projected).max(axis=1)
        scales = np.where(largest == 0, 1, largest / LARGEST).astype(np.float32)
        codes = np.rint(projected / scales[:, None]).astype(np.int8)
        return ShortForm(codes, scales, np.asarray(fingerprints @ self._centre), _signs(projected))

    def query(self, fingerprint: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.uint64]]:
        """Return the projection of a fingerprint, float32 [DIMENSIONS], and its signs, uint64 [WORDS]."""
        projected = (fingerprint - self._centre) @ self._matrix
        return projected, _signs(projected[None])[0]


def _signs(projected: NDArray[np.float32]) -> NDArray[np.uint64]:
    return np.packbits(projected > 0, axis=1).view(np.uint64)
