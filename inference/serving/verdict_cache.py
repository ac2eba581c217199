"""What is known of pictures, by the hash of their bytes. Hash and labels are kept; never the picture."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from inference.results import HarmfulImage
from inference.serving.protocol import AnsweredReply

__all__ = ["ImageKey", "VerdictCache"]

HARMFUL = 4096
"""Harmful pictures remembered."""


class ImageKey(NamedTuple):
    """An image as the worker is asked about it: the SHA-256 of its bytes, and how many labels are wanted."""

    digest: bytes
    ranked: int


class VerdictCache:
    """The last `limit` verdicts, and the pictures that killed a worker."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._verdicts: OrderedDict[tuple[object, ImageKey], AnsweredReply] = OrderedDict()
        self._harmful: OrderedDict[bytes, str] = OrderedDict()

    def get(self, model: object, key: ImageKey) -> AnsweredReply | None:
        """The verdict on these bytes by this model. Raises HarmfulImage for a picture that is refused."""
        if (reason := self._harmful.get(key.digest)) is not None:
            raise HarmfulImage(reason)
        verdict = self._verdicts.get((model, key))
        if verdict is not None:
            self._verdicts.move_to_end((model, key))
        return verdict

    def keep(self, model: object, key: ImageKey, verdict: AnsweredReply) -> None:
        """Remember a verdict, and forget the one that was not asked for the longest time."""
        self._verdicts[model, key] = verdict
        while len(self._verdicts) > self._limit:
            self._verdicts.popitem(last=False)

    def condemn(self, key: ImageKey, error: HarmfulImage) -> None:
        """Refuse these bytes from now on."""
        self._harmful[key.digest] = str(error)
        while len(self._harmful) > HARMFUL:
            self._harmful.popitem(last=False)
