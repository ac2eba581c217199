"""What is remembered of pictures by a keyed hash of their bytes: labels, or a refusal. Never the picture."""

from __future__ import annotations

from typing import NamedTuple

from cachetools import LRUCache

from inference.results import Features, HarmfulImage
from inference.serving.condemned_pictures import CondemnedPictures
from inference.serving.protocol import AnsweredReply


class ImageKey(NamedTuple):
    """An image as the worker is asked about it: its hash by `ImageHasher`, and what is wanted of it.

    `ranked` is the number of labels, `features` of which crops a fingerprint is wanted, and `explain` has the
    classes, by index or by packed direction, whose heat maps are wanted.
    """

    digest: bytes
    ranked: int
    features: Features = ""
    explain: tuple[int | bytes, ...] = ()


class VerdictCache:
    """The last `limit` verdicts, and the pictures that are `condemned`."""

    def __init__(self, limit: int, condemned: CondemnedPictures | None = None) -> None:
        self._verdicts: LRUCache[tuple[object, ImageKey], AnsweredReply] = LRUCache(limit)
        self._condemned = condemned or CondemnedPictures()

    def get(self, model: object, key: ImageKey) -> AnsweredReply | None:
        """Return the verdict on these bytes by this model, if any. Raises HarmfulImage if it is condemned."""
        if (reason := self._condemned.reason(key.digest)) is not None:
            raise HarmfulImage(reason)
        return self._verdicts.get((model, key))

    def keep(self, model: object, key: ImageKey, verdict: AnsweredReply) -> None:
        """Remember a verdict; the one that was not asked for the longest time may have to go."""
        if self._verdicts.maxsize and not key.explain:  # a heat map comes with the picture
            self._verdicts[model, key] = verdict

    def condemn(self, key: ImageKey, error: HarmfulImage) -> None:
        """Refuse these bytes from now on."""
        self._condemned.condemn(key.digest, str(error))
