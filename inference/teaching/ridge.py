"""Ridge regression from whitened fingerprints to labels, and what it says of each when it had not seen it.

`whitened` are z, float32 [n, width], and `belongs`, float32 [n, labels], is 1 where an example has a label.
Targets are centred. Everything is solved in as many unknowns as there are examples or numbers, whichever are
fewer; both give the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RIDGE = 0.3
"""Weight of the penalty on large weights (lambda)."""


def weights(whitened: NDArray[np.float32], belongs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the weights, float32 [width, labels], from z to centred targets."""
    targets = belongs - belongs.mean(axis=0)
    count, width = whitened.shape
    if count <= width:
        return np.asarray(whitened.T @ np.linalg.solve(_gram(whitened.T), targets), np.float32)
    return np.asarray(np.linalg.solve(_gram(whitened), whitened.T @ targets), np.float32)


def left_out(whitened: NDArray[np.float32], belongs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what the weights fitted on all others say of each example, float64 [n, labels].

    That is exact, and takes two fits in place of n: taking one example out changes the inverse by one product
    of vectors (Sherman and Morrison 1950).
    """
    count, width = whitened.shape
    total = whitened.sum(axis=0)
    if count <= width:
        # Rows of the hat matrix Z (Z'Z + lambda I)^-1 Z' = I - lambda (ZZ' + lambda I)^-1.
        hat = np.eye(count, dtype=np.float32) - RIDGE * np.linalg.inv(_gram(whitened.T))
        own, sums, said = np.diag(hat), hat.sum(axis=1), hat @ belongs
    else:
        inverse = np.linalg.inv(_gram(whitened))
        spread = whitened @ inverse
        own, sums, said = (
            np.einsum("ij,ij->i", spread, whitened),
            spread @ total,
            spread @ (whitened.T @ belongs),
        )
    own, sums, said = (
        own[:, None].astype(np.float64),
        sums[:, None].astype(np.float64),
        said.astype(np.float64),
    )
    # Without an example, the mean of the targets is another too.
    means = (belongs.sum(axis=0, dtype=np.float64) - belongs) / max(count - 1, 1)
    return np.asarray((said - own * belongs - (sums - own) * means) / (1 - own), np.float64)


def _gram(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return V'V + lambda I, float32 [m, m], of V, float32 [n, m]."""
    gram = vectors.T @ vectors
    gram[np.diag_indices(len(gram))] += RIDGE
    return gram
