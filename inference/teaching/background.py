"""What pictures in general look like to a model: the mean and the spread of many unrelated fingerprints.

A fingerprint says most by how it differs from those. Whitening by the spread of a background makes directions
in which all pictures differ count less (Hariharan et al. 2012, "Discriminative Decorrelation for Clustering
and Classification"). What counts is that the background is diverse, not that it is large.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KEPT = 0.7
"""Share of the background's own spread; the rest is spread evenly over all directions, because a background
has fewer pictures than a fingerprint has numbers."""

BLOCK = 1024
"""Fingerprints that are whitened at once: of 20,000, what is between would take half a gigabyte."""


class Background:
    """The mean m and the spread Sigma = 0.7 cov + 0.3 (tr cov / width) I of a background of fingerprints.

    `fingerprints`, float32 [n, width] with n of 2 or more, are in unit length. Raises ValueError for fewer,
    or where all are the same.
    """

    def __init__(self, fingerprints: NDArray[np.float32]) -> None:
        count, width = fingerprints.shape
        if count < 2:  # noqa: PLR2004 - a spread takes two
            raise ValueError("a background takes at least two fingerprints")
        self.mean = fingerprints.mean(axis=0, dtype=np.float64).astype(np.float32)
        _, singular, directions = np.linalg.svd(fingerprints - self.mean, full_matrices=False)
        spread = singular.astype(np.float64) ** 2 / (count - 1)
        if not (even := (1 - KEPT) * spread.sum() / width):
            raise ValueError("all fingerprints of the background are the same")
        # Sigma has these directions, and is even in all others, so its root needs no width x width matrix.
        self._directions = directions
        self._even = np.float32(even**-0.5)
        self._along = ((KEPT * spread + even) ** -0.5 - even**-0.5).astype(np.float32)

    def whitened(self, fingerprints: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return z = Sigma^-1/2 (phi - m) in unit length, float32 [n, width], of phi, float32 [n, width]."""
        whitened = np.empty_like(fingerprints)
        for start in range(0, len(fingerprints), BLOCK):
            part = slice(start, start + BLOCK)
            whitened[part] = unit(self._spread_out(fingerprints[part] - self.mean))
        return whitened

    def derivative(
        self, fingerprint: NDArray[np.float32], direction: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return how much each feature adds to the cosine between a picture and `direction`, float32 [width].

        `fingerprint` is phi of the picture and `direction` a whitened vector in unit length, float32 [width]
        each. It is the derivative of `whitened(phi) @ direction` by the features whose signed roots phi is,
        but for a factor that is the same for all. Of a feature that is zero, it is zero.
        """
        centred = fingerprint - self.mean
        whitened = self._spread_out(centred)
        length = np.linalg.norm(whitened) or 1.0
        unit_whitened = whitened / length
        # Backwards: the cosine, the whitening, which is symmetric, the unit length of phi, and its roots.
        by_whitened = (direction - (direction @ unit_whitened) * unit_whitened) / length
        by_phi = self._spread_out(by_whitened)
        by_phi -= (by_phi @ fingerprint) * fingerprint
        roots = np.abs(fingerprint)
        return np.asarray(by_phi / np.where(roots == 0, np.inf, 2 * roots), np.float32)

    def _spread_out(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return Sigma^-1/2 times each vector, float32 [..., width]."""
        along = (vectors @ self._directions.T) * self._along
        return np.asarray(self._even * vectors + along @ self._directions, np.float32)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors, float32 [n, width], in unit length; those that are all zero stay so."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length == 0, 1, length), np.float32)
