"""Which groups' pictures were harmless of late, and which groups posted one that was condemned or slow."""

from __future__ import annotations

import time
from collections.abc import Hashable

from cachetools import TTLCache

REMEMBERED = 4096

WARY_SECONDS = 120.0
"""For so long after a picture was condemned, or slow, all others from its group are suspicious: or each of
another structure would cost the first worker its life."""

TRUSTED_SECONDS = 3600.0

TRUSTED = 3
"""So many pictures have to be answered before one that is only built like a condemned picture is none to be
wary of: an honest picture may be built alike, and would wait for the trials of the others."""


class GroupRecords:
    """Remembers for some time what came of each group's pictures. Nothing is known of the group None."""

    def __init__(self) -> None:
        self._wary: TTLCache[Hashable, None] = TTLCache(REMEMBERED, WARY_SECONDS, time.monotonic)
        self._answered: TTLCache[Hashable, int] = TTLCache(REMEMBERED, TRUSTED_SECONDS, time.monotonic)

    def suspect(self, group: Hashable) -> None:
        """Be wary of a group for some time."""
        if group is not None:
            self._wary[group] = None
            self._answered.pop(group, None)

    def answered(self, group: Hashable) -> None:
        """Take note of a picture that was answered."""
        if group is not None and self._answered.get(group, 0) < TRUSTED:
            self._answered[group] = self._answered.get(group, 0) + 1

    def is_wary(self, group: Hashable) -> bool:
        """Tell whether all pictures of a group are suspicious."""
        return group in self._wary

    def is_trusted(self, group: Hashable) -> bool:
        """Tell whether a group has only posted what was harmless, and enough of it."""
        return self._answered.get(group, 0) >= TRUSTED
