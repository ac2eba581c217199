"""How good a model is at pictures whose classes are known: the figures of `whatsit evaluate`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

BINS = 10
"""Groups of about the same probability; in each is counted how many of the first labels are right."""
RANKS = 5
NORMAL_95 = 1.96


class JudgedPicture(NamedTuple):
    """One picture: its file, the number of its class, and what the model says, best first.

    A class is -1 in `said` where the model says something that is none of the classes.
    """

    path: str
    truth: int
    said: tuple[int, ...]
    labels: tuple[str, ...]
    probability: float
    """Of the first label."""

    @property
    def right(self) -> bool:
        """Whether the first label is right."""
        return self.said[0] == self.truth


class ProbabilityBin(NamedTuple):
    """The pictures whose first label has about the same probability: how many, its mean, and the share that
    is right."""

    pictures: int
    probability: float
    right: float


@dataclass(frozen=True)
class Evaluation:
    """What came out. `labels` are the classes, and `pictures` all that could be read, at least one."""

    labels: tuple[str, ...]
    pictures: tuple[JudgedPicture, ...]

    @cached_property
    def right(self) -> int:
        """How many first labels are right."""
        return sum(picture.right for picture in self.pictures)

    @property
    def top_1(self) -> float:
        return self.right / len(self.pictures)

    @property
    def top_5(self) -> float:
        """Share of pictures whose label is among the first five."""
        return sum(picture.truth in picture.said[:RANKS] for picture in self.pictures) / len(self.pictures)

    @property
    def top_1_interval(self) -> tuple[float, float]:
        """Between which two shares top-1 lies 95 times in 100, for pictures like these (Wilson 1927)."""
        count, share = len(self.pictures), self.top_1
        square = NORMAL_95**2
        centre = (share + square / (2 * count)) / (1 + square / count)
        spread = NORMAL_95 * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
        half = spread / (1 + square / count)
        return max(centre - half, 0.0), min(centre + half, 1.0)

    @cached_property
    def counts(self) -> list[list[int]]:
        """How often pictures of each class, a row, were taken for each class, and last for something else."""
        counts = [[0] * (len(self.labels) + 1) for _ in self.labels]
        for picture in self.pictures:
            counts[picture.truth][picture.said[0]] += 1  # -1 is the last column
        return counts

    def recall(self, label: int) -> float | None:
        """Share of a class's pictures that were named right; None where there are none."""
        total = sum(self.counts[label])
        return self.counts[label][label] / total if total else None

    @cached_property
    def bins(self) -> list[ProbabilityBin]:
        """The pictures by the probability of their first label, in `BINS` equal parts of 0 to 1."""
        parts: list[list[JudgedPicture]] = [[] for _ in range(BINS)]
        for picture in self.pictures:
            parts[min(int(picture.probability * BINS), BINS - 1)].append(picture)
        return [_bin(number, part) for number, part in enumerate(parts)]

    @property
    def calibration_error(self) -> float:
        """The expected calibration error (ECE): by how much probabilities and shares of right answers differ,
        on average over the pictures."""
        return sum(each.pictures * abs(each.right - each.probability) for each in self.bins) / len(
            self.pictures
        )

    def worst(self, most: int) -> list[JudgedPicture]:
        """Return the wrong pictures of which the model was most sure."""
        wrong = [picture for picture in self.pictures if not picture.right]
        return sorted(wrong, key=lambda picture: -picture.probability)[:most]


def _bin(number: int, pictures: Sequence[JudgedPicture]) -> ProbabilityBin:
    count = len(pictures)
    if not count:
        return ProbabilityBin(0, (number + 0.5) / BINS, 0.0)
    probability = sum(picture.probability for picture in pictures) / count
    return ProbabilityBin(count, probability, sum(picture.right for picture in pictures) / count)
