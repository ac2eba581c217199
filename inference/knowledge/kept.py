"""What the process keeps of servers, within one bound: fitted labels, and pictures to be found again."""

from __future__ import annotations

from typing import Literal, Protocol

from cachetools import LRUCache

KeptKey = tuple[int, str, Literal["labels", "index"]]
"""A server, a kind of fingerprints, and what it is."""


class Kept(Protocol):
    """Something that is kept.

    `version` tells it from what was kept before, and `nbytes` is the memory it takes.
    """

    @property
    def version(self) -> int: ...
    @property
    def nbytes(self) -> int: ...


class KeptOfServers(LRUCache[KeptKey, Kept]):
    """At most `memory` bytes; what was not used for longest goes first."""

    def __init__(self, memory: int) -> None:
        super().__init__(memory, getsizeof=lambda kept: kept.nbytes)
