"""What each group's images have taken of the processor in the last minute or so."""

from __future__ import annotations

import math
import time
from collections.abc import Hashable

from cachetools import LRUCache

FADING_SECONDS = 60.0
"""After so long a third of what was used still counts."""

GROUPS = 4096
"""Groups that are remembered."""


class RecentUse:
    """Sums core-seconds by group, and lets them fade."""

    def __init__(self) -> None:
        self._used: LRUCache[Hashable, tuple[float, float]] = LRUCache(GROUPS)

    def add(self, group: Hashable, core_seconds: float) -> None:
        """Count what an image took, or correct what was counted before by a difference."""
        self._used[group] = max(self.of(group) + core_seconds, 0.0), time.monotonic()

    def of(self, group: Hashable) -> float:
        """Return the core-seconds that a group has used of late."""
        used, at = self._used.get(group, (0.0, 0.0))
        return used * math.exp((at - time.monotonic()) / FADING_SECONDS)

    def forget(self, group: Hashable) -> None:
        """Forget what a group has used."""
        self._used.pop(group, None)
