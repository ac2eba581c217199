"""How pictures are built that killed a worker, so that one changed byte does not buy another try."""

from __future__ import annotations

import time

from cachetools import TTLCache

from inference.images.structure import Structure, structure

REMEMBERED = 1024
WARY_SECONDS = 600.0
REFUSED_SECONDS = 300.0
"""An honest picture may be built alike, so nothing is held against a structure for ever."""
CONDEMNED = 3
"""So many pictures of exactly one structure have to be condemned in their trials, and none be answered,
before others are refused untried. Each costs the second worker a trial."""


class SuspiciousStructures:
    """Remembers for some minutes which structures to be wary of, and which to refuse.

    Whatever is built *roughly* like a condemned picture is suspicious, and tried apart. Whatever is built
    *exactly* like several that were condemned there is refused.
    """

    def __init__(self) -> None:
        self._suspicious: TTLCache[object, None] = TTLCache(REMEMBERED, WARY_SECONDS, time.monotonic)
        self._condemned: TTLCache[Structure | None, int] = TTLCache(
            REMEMBERED, REFUSED_SECONDS, time.monotonic
        )

    def condemned(self, data: bytes, *, in_trial: bool) -> None:
        """Take note of a condemned picture, and whether it was tried for being suspicious."""
        found = structure(data)
        if found:
            self._suspicious[found.rough] = None
            if in_trial:
                self._condemned[found] = self._condemned.get(found, 0) + 1

    def answered(self, data: bytes) -> None:
        """Take note of an honest picture that was suspicious."""
        self._condemned.pop(structure(data), None)

    def is_suspicious(self, data: bytes) -> bool:
        """Tell whether a picture is built roughly like a condemned one."""
        found = structure(data) if self._suspicious else None
        return found is not None and found.rough in self._suspicious

    def is_refused(self, data: bytes) -> bool:
        """Tell whether a picture is built exactly like several that were condemned in their trials."""
        return bool(self._condemned) and self._condemned.get(structure(data), 0) >= CONDEMNED
