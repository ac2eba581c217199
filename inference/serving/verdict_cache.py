"""What is known of pictures, by the hash of their bytes. Hash and labels are kept; never the picture."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from typing import NamedTuple

from inference.results import HarmfulImage
from inference.serving.protocol import Answered

__all__ = ["Hasher", "Key", "Known"]

INLINE_BYTES = 256 * 1024
"""What may be hashed on the event loop in one of its turns: SHA-256 takes 0.15 ms for it, a hop to a thread
about 0.1."""

HARMFUL = 4096
"""Harmful pictures remembered."""


class Key(NamedTuple):
    """An image as the worker is asked about it: the SHA-256 of its bytes, and how many labels are wanted."""

    digest: bytes
    ranked: int


class Known:
    """The last `limit` verdicts, and the pictures that killed a worker."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._verdicts: OrderedDict[tuple[object, Key], Answered] = OrderedDict()
        self._harmful: OrderedDict[bytes, str] = OrderedDict()

    def get(self, model: object, key: Key) -> Answered | None:
        """The verdict on these bytes by this model. Raises HarmfulImage for a picture that is refused."""
        if (reason := self._harmful.get(key.digest)) is not None:
            raise HarmfulImage(reason)
        verdict = self._verdicts.get((model, key))
        if verdict is not None:
            self._verdicts.move_to_end((model, key))
        return verdict

    def keep(self, model: object, key: Key, verdict: Answered) -> None:
        """Remember a verdict, and forget the one that was not asked for the longest time."""
        self._verdicts[model, key] = verdict
        while len(self._verdicts) > self._limit:
            self._verdicts.popitem(last=False)

    def condemn(self, key: Key, error: HarmfulImage) -> None:
        """Refuse these bytes from now on."""
        self._harmful[key.digest] = str(error)
        while len(self._harmful) > HARMFUL:
            self._harmful.popitem(last=False)


class Hasher:
    """SHA-256 without a stall of the event loop: a few small pictures on it, large ones and crowds on a
    thread."""

    def __init__(self) -> None:
        self._inline = 0
        self._waiting: list[tuple[bytes, asyncio.Future[bytes]]] = []
        self._task: asyncio.Task[None] | None = None

    async def digest(self, data: bytes) -> bytes:
        """The 32 bytes of the SHA-256 of `data`."""
        loop = asyncio.get_running_loop()
        if self._inline + len(data) <= INLINE_BYTES:
            if not self._inline:
                loop.call_soon(self._next_turn)
            self._inline += len(data)
            return hashlib.sha256(data).digest()
        turn: asyncio.Future[bytes] = loop.create_future()
        self._waiting.append((data, turn))
        if self._task is None:
            self._task = asyncio.create_task(self._hash(), name="inference-hashes")
        return await turn

    def _next_turn(self) -> None:
        self._inline = 0

    async def _hash(self) -> None:
        """Hash all that waits at once: a hop to a thread costs more than a small picture's hash."""
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                digests = await asyncio.to_thread(_digests, [data for data, _ in waiting])
                for (_, turn), digest in zip(waiting, digests, strict=True):
                    if not turn.done():
                        turn.set_result(digest)
        finally:
            self._task = None


def _digests(pictures: list[bytes]) -> list[bytes]:
    return [hashlib.sha256(data).digest() for data in pictures]
