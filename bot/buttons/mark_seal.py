"""Sign what a button holds, so that nobody can press what was never offered to them.

Discord passes on whatever `custom_id` a form comes back with, and a program can send any.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

SEAL_BYTES: Final = 6
"""There is no room for more. Each guess is a press, which Discord limits: 2**48 of them take forever."""


class BrokenSeal(ValueError):
    """Something was not signed with this key, or was changed since."""


class MarkSeal:
    """Signs with a key that only the store knows."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, data: bytes, purpose: str) -> bytes:
        """Return the data with its signature, which holds for this purpose alone."""
        return data + self._signature(data, purpose)

    def opened(self, sealed: bytes, purpose: str) -> bytes:
        """Return the data without its signature. Raises `BrokenSeal`."""
        data, signature = sealed[:-SEAL_BYTES], sealed[-SEAL_BYTES:]
        if not hmac.compare_digest(signature, self._signature(data, purpose)):
            raise BrokenSeal(f"this {purpose} was not signed here")
        return data

    def _signature(self, data: bytes, purpose: str) -> bytes:
        return hmac.digest(self._key, purpose.encode() + b"\0" + data, hashlib.sha256)[:SEAL_BYTES]
