"""The temperature that makes a softmax honest: "80 %" is then right about 80 times in 100.

Dividing all logits by one number, fitted on pictures that were not learnt from, is what helps most (Guo et
al. 2017, "On Calibration of Modern Neural Networks"). It changes no ranking.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOWEST, HIGHEST = 0.05, 20.0
STEPS = 241


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.intp]) -> float:
    """Return the temperature for logits, float32 [n, classes], of pictures whose labels, [n], are known.

    The right class is not asked to be certain but to have (n + 1) / (n + 2), as Platt (1999) proposed: of a
    few pictures that are all right, nobody can tell that the model is always right.
    """
    count, classes = logits.shape
    right = (count + 1) / (count + 2)
    targets = np.full(logits.shape, (1 - right) / (classes - 1))
    targets[np.arange(count), labels] = right
    temperatures = np.geomspace(LOWEST, HIGHEST, STEPS)
    losses = [-(targets * _log_softmax(logits / temperature)).sum() for temperature in temperatures]
    return float(temperatures[int(np.argmin(losses))])


def _log_softmax(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
