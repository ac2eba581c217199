"""Which pictures have killed a worker, by a keyed hash of their bytes, and why each is refused."""

from __future__ import annotations

from collections.abc import Callable

from cachetools import LRUCache

CONDEMNED = 4096
"""Condemned pictures remembered."""


class CondemnedPictures:
    """Those of this process, and those of others that use the same key (`Classifier.share_condemned`)."""

    def __init__(self) -> None:
        self._reasons: LRUCache[bytes, str] = LRUCache(CONDEMNED)
        self.on_new: Callable[[bytes, str], None] = lambda _digest, _reason: None
        """Told the hash of a picture that was condemned here, and why."""

    def reason(self, digest: bytes) -> str | None:
        """Return why a picture is refused; None if it is not."""
        return self._reasons.get(digest)

    def condemn(self, digest: bytes, reason: str) -> None:
        """Refuse a picture from now on."""
        self.learn(digest, reason)
        self.on_new(digest, reason)

    def learn(self, digest: bytes, reason: str) -> None:
        """Refuse a picture that another process has condemned."""
        self._reasons[digest] = reason
