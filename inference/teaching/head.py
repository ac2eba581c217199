"""Name a picture by labels that a server taught, or say that it is none of them.

Naming and refusing are two questions. *Which label* is answered by a ridge regression from whitened
fingerprints to the labels. Its output says nothing about strangers, so *whether any* is answered by the
cosine between the picture and the mean of the label's own examples, against what the examples themselves have
when each is left out of that mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.teaching import ridge
from inference.teaching.background import Background, unit

PRIOR = 3
"""A label's own mean and deviation of scores count as much as those of all labels when it has so many
examples."""
STRICTNESS = 1.5
"""Deviations under the mean at which a score is still accepted. Examples are the mean of several views, and
so score a little better than pictures of which one view is looked at: with 1.28, nine of ten of a normal
distribution, a sixth of what was named right was refused."""
LEAST_NEEDED, MOST_NEEDED = 0.22, 0.40
"""A label accepts no lower score, and refuses no higher one. Of 3,465 best scores of pictures that had
nothing to do with what was taught, 6 % were over the first and 0.6 % over the second. Examples that are all
alike would ask for more than the second, which other pictures of the same thing often do not reach."""
FEW = 2
"""Up to so many examples a label has no deviation of its own worth using."""
FEW_THRESHOLD = 0.30
"""The least cosine that is accepted of a label with few examples."""
NONE = -1
"""The label of examples that were taught as "none of these"."""


class TaughtName(NamedTuple):
    """The label that fits a picture best, by its number, and whether it fits well enough to be said.

    `score` is the cosine to the mean of the label's examples, -1 to 1, `needed` the least that is accepted.
    `few`: the label has so few examples that one name in five is wrong.
    """

    label: int
    score: float
    needed: float
    accepted: bool
    few: bool


class TaughtHead:
    """The labels of one server, fitted on all of its examples.

    `fingerprints`, float32 [n, width], are phi of the examples, and `labels` has the number of each one's
    label, or `NONE`. Raises ValueError where no example has a label.
    """

    def __init__(
        self,
        fingerprints: NDArray[np.float32],
        labels: Sequence[int] | NDArray[np.int64],
        background: Background,
    ) -> None:
        numbers = np.asarray(labels)
        self.labels = sorted({int(number) for number in numbers} - {NONE})
        if not self.labels:
            raise ValueError("nothing has been taught yet")
        self._background = background
        whitened = background.whitened(fingerprints)
        columns = [*self.labels, NONE] if NONE in numbers else self.labels
        belongs = np.stack([numbers == number for number in columns], axis=1).astype(np.float32)
        self._weights = ridge.weights(whitened, belongs)
        sums = belongs.T @ whitened
        self.means = unit(sums)
        """Of each label and, where there are some, of NONE: float32 [columns, width], in unit length."""
        self._counts = belongs.sum(axis=0).astype(int)
        self.needed = self._thresholds(whitened, belongs, sums)
        """The least cosine that each label accepts, float64 [labels]."""

    @property
    def nbytes(self) -> int:
        """The memory it takes, beside its background."""
        return self._weights.nbytes + self.means.nbytes + sum(own.nbytes for own in self._left_out)

    def name(self, fingerprint: NDArray[np.float32]) -> TaughtName:
        """Return the label that fits phi, float32 [width], best."""
        (whitened,) = self._background.whitened(fingerprint[None])
        cosines = self.means @ whitened
        by_mean = self._counts.max() == 1  # of single examples a regression knows no more than their means
        column = int(np.argmax(cosines if by_mean else whitened @ self._weights))
        is_label = column < len(self.labels)
        if not is_label:  # it looks like something that was taught as none of these
            column = int(np.argmax(cosines[: len(self.labels)]))
        score, needed = float(cosines[column]), float(self.needed[column])
        return TaughtName(
            self.labels[column],
            score,
            needed,
            is_label and score >= needed,
            bool(self._counts[column] <= FEW),
        )

    def direction(self, label: int, fingerprint: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features that speak for a label in a picture, float32 [width].

        It is the derivative, by the features under the fingerprint phi, float32 [width], of the picture's
        cosine to the label's mean. Times the features at each place of the picture it makes a heat map.
        """
        if label not in self.labels:
            raise ValueError(f"label {label} has not been taught")
        mean = self.means[self.labels.index(label)]
        return self._background.derivative(fingerprint, mean)

    def left_out_scores(self) -> dict[int, list[float]]:
        """Return, for each label, the score of each example by the mean of the label's others."""
        return {
            number: list(map(float, own)) for number, own in zip(self.labels, self._left_out, strict=True)
        }

    def _thresholds(
        self, whitened: NDArray[np.float32], belongs: NDArray[np.float32], sums: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        self._left_out = [
            _left_out(whitened[belongs[:, column] > 0], sums[column]) for column in range(len(self.labels))
        ]
        everyone = np.concatenate(self._left_out)
        if not len(everyone):
            return np.full(len(self.labels), FEW_THRESHOLD)
        mean, deviation = everyone.mean(), everyone.std()
        return np.array([_threshold(own, mean, deviation) for own in self._left_out])


def _left_out(own: NDArray[np.float32], total: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the cosine of each of a label's examples, [k, width], to the mean of the others; none of one."""
    if len(own) < FEW:
        return np.empty(0)
    return np.asarray((own * unit(total - own)).sum(axis=1), np.float64)


def _threshold(own: NDArray[np.float64], mean: float, deviation: float) -> float:
    """Return the least score that a label accepts: its own statistics, drawn towards those of all labels."""
    count = len(own)
    if count <= FEW:
        return FEW_THRESHOLD
    centre = (count * own.mean() + PRIOR * mean) / (count + PRIOR)
    variance = (PRIOR * deviation**2 + ((own - own.mean()) ** 2).sum()) / (PRIOR + count)
    return float(np.clip(centre - STRICTNESS * np.sqrt(variance), LEAST_NEEDED, MOST_NEEDED))
