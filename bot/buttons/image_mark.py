"""What a button knows of its image, packed into its `custom_id`.

Nothing of an image is stored, and still "More" works after a restart, for a picture of a command, and without
fetching or classifying it again: the ranking stands in the message itself, as numbers of the model's classes,
and goes when the message goes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from bot.presentation.naming import Finding
from inference.results import RANKED, Coarse, Label, ModelInfo

__all__ = ["MARK_CHARACTERS", "ImageMark", "OtherModel", "People", "can_be_packed"]

MARK_CHARACTERS: Final = 83
"""Characters of a mark at most; with its prefix it is within the 100 of a `custom_id` and of an option."""
CLASSES = 1 << 16
_HEAD = struct.Struct(">BB3sQQQ")  # flags, image, model, answer, asker, author
_NAME = struct.Struct(">HB")  # class, per cent
_SPOILER, _DOUBTFUL, _COARSE = 1, 2, 4
_NEARLY_NOTHING = 0.001
"""What 0 % stands for: it is shown as "<1%"."""


class OtherModel(Exception):
    """A mark was made with a model, or in a version of Whatsit, that is no longer here."""


@dataclass(frozen=True, slots=True)
class People:
    """The ids of who asked about an image and of who posted it; often the same person."""

    asker: int
    author: int


@dataclass(frozen=True, slots=True)
class ImageMark:
    """One image of one answer. `image` counts from 0. `answer` is the answer's id, 0 while it has none."""

    finding: Finding
    image: int
    spoiler: bool
    people: People
    answer: int = 0

    def under(self, answer: int) -> ImageMark:
        """Return the mark with the id of its answer, unless it has one already."""
        return replace(self, answer=self.answer or answer)

    def pack(self, model: ModelInfo) -> str:
        """Return at most `MARK_CHARACTERS` characters for `unpack`; probabilities are kept in per cent."""
        finding = self.finding
        flags = self.spoiler * _SPOILER | finding.doubtful * _DOUBTFUL | bool(finding.headline) * _COARSE
        packed = _HEAD.pack(
            flags, self.image, _key(model), self.answer, self.people.asker, self.people.author
        )
        if finding.headline:
            packed += _NAME.pack(
                model.coarse.index(finding.headline.name), _per_cent(finding.headline.probability)
            )
        for label in finding.labels[:RANKED]:
            packed += _NAME.pack(label.index, _per_cent(label.probability))
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    @classmethod
    def unpack(cls, text: str, models: Iterable[ModelInfo]) -> tuple[ImageMark, ModelInfo]:
        """Return what `pack` packed, and which of `models` it was packed with.

        Raises `OtherModel` if it was none of them.
        """
        try:
            packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            flags, image, key, answer, asker, author = _HEAD.unpack_from(packed)
            model = next(model for model in models if _key(model) == key)
            names = [
                Label(model.labels[index], index, per_cent / 100 or _NEARLY_NOTHING, model.coarse[index])
                for index, per_cent in _NAME.iter_unpack(packed[_HEAD.size :])
            ]
        except (binascii.Error, struct.error, IndexError, ValueError, StopIteration) as error:
            raise OtherModel(text) from error
        coarse = names.pop(0) if flags & _COARSE and names else None
        if not names:
            raise OtherModel(text)
        finding = Finding(
            tuple(names),
            Coarse(coarse.coarse, coarse.probability) if coarse and coarse.coarse else None,
            bool(flags & _DOUBTFUL),
        )
        return cls(finding, image, bool(flags & _SPOILER), People(asker, author), answer), model


def can_be_packed(model: ModelInfo) -> bool:
    """Tell whether the names of a model can be packed: they are known, and their numbers fit."""
    return 0 < len(model.labels) == len(model.coarse) <= CLASSES


@lru_cache(maxsize=16)
def _key(model: ModelInfo) -> bytes:
    """Return three bytes that tell a model, with its labels, from another."""
    names = "\n".join((model.name, model.content_hash, *model.labels))
    return hashlib.sha256(names.encode()).digest()[:3]


def _per_cent(probability: float) -> int:
    return min(round(100 * probability), 100)
