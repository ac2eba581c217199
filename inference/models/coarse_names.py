"""From a model's classes to everyday names: *cat* for tabby, tiger cat and Egyptian cat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.models.labels import FOLDER, IMAGENET

NAMES, SYNSETS = "coarse.tsv", "imagenet_synsets.tsv"
BEST = 3
"""Everyday names given for an image."""


def coarse_names(labels: tuple[str, ...]) -> tuple[str | None, ...]:
    """Return each label's everyday name, or None where the label itself is what a person would say.

    The names are for the classes of ImageNet, with the 1000 or 1001 labels that Whatsit ships. For any other
    set of labels all are None, because the same word may mean something else there.
    """
    file = IMAGENET.get(len(labels))
    if file is None or labels != tuple(_lines(file)):
        return (None,) * len(labels)
    everyday = dict(line.split("\t") for line in _lines(NAMES) if not line.startswith("#"))
    names = [everyday.get(line.partition("\t")[0]) for line in _lines(SYNSETS)]
    return (None,) * (len(labels) - len(names)) + tuple(names)  # `background`, which comes first, has none


class CoarseNames:
    """Adds up the probabilities of classes with the same everyday name."""

    def __init__(self, names: tuple[str | None, ...]) -> None:
        """`names` are what `coarse_names` gives."""
        self.names = names
        self._groups = sorted({name for name in names if name is not None})
        numbers = {name: number for number, name in enumerate(self._groups)}
        self._classes = np.array([i for i, name in enumerate(names) if name is not None], np.intp)
        self._group_of = np.array([numbers[name] for name in names if name is not None], np.intp)
        self._sizes = np.bincount(self._group_of, minlength=len(self._groups))

    def best(self, probabilities: NDArray[np.float64]) -> tuple[tuple[str, float, int], ...]:
        """Return the everyday names of greatest probability, each with the sum and number of its classes.

        `probabilities` is [classes]. All classes count, not only those that are shown.
        """
        sums = np.bincount(self._group_of, probabilities[self._classes], minlength=len(self._groups))
        best = np.argsort(-sums, kind="stable")[:BEST]
        return tuple(
            # Rounding may put a sum slightly above 1.
            (self._groups[number], min(float(sums[number]), 1.0), int(self._sizes[number]))
            for number in best
        )


def _lines(file: str) -> list[str]:
    return (FOLDER / file).read_text("utf-8").splitlines()
