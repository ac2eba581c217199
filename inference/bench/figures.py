"""The few statistics of the benchmark: percentiles, and ratios taken pair by pair."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

__all__ = ["Spread", "percentile", "ratios"]


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` (0 to 100) of the values lie, linear between neighbours.

    Raises ValueError for no values or a percentage outside 0 to 100.
    """
    if not values:
        raise ValueError("no values to take a percentile of")
    if not 0 <= percent <= 100:  # noqa: PLR2004  # percent
        raise ValueError(f"a percentile lies between 0 and 100, not at {percent}")
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """`ours[i] / theirs[i]`, pair by pair: both of a pair were measured in the same turn.

    Raises ValueError where the two differ in length.
    """
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


@dataclass(frozen=True, slots=True)
class Spread:
    """Repeated measurements of one figure: the median is what is quoted, the ends say how sure it is."""

    median: float
    low: float
    high: float
    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Raises statistics.StatisticsError for no values."""
        return cls(statistics.median(values), min(values), max(values), tuple(values))
