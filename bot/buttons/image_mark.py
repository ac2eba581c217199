"""What a button knows of its image, packed into its `custom_id`.

Nothing of an image is stored, and still "More" works after a restart, for a picture of a command, and without
fetching or classifying it again: the ranking stands in the message itself, as numbers of the model's classes,
and goes when the message goes.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from bot.buttons.mark_seal import MarkSeal
from bot.presentation.naming import Finding
from inference.results import RANKED, Coarse, Label, ModelInfo

MARK_CHARACTERS: Final = 83
"""Characters of a mark at most; with its prefix it is within the 100 of a `custom_id` and of an option."""
CLASSES = 1 << 16
_HEAD = struct.Struct(">B3sQQQ")  # image, model, answer, asker, author
_FLAGS, _CLASS, _PER_CENT = 3, 16, 7
"""Bits: first the flags, then a class and its per cent for each name. The names fill what the head leaves."""
_NAME = _CLASS + _PER_CENT
_SPOILER, _DOUBTFUL, _COARSE = 1, 2, 4
PURPOSE = "mark"
_NEARLY_NOTHING = 0.001
"""What 0 % stands for: it is shown as "<1%"."""


class OtherModel(Exception):
    """A mark was made with a model, with a key, or in a version of Whatsit, that is not here."""


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

    def pack(self, model: ModelInfo, seal: MarkSeal) -> str:
        """Return at most `MARK_CHARACTERS` characters for `unpack`; probabilities are kept in per cent."""
        finding = self.finding
        flags = self.spoiler * _SPOILER | finding.doubtful * _DOUBTFUL | bool(finding.headline) * _COARSE
        head = _HEAD.pack(self.image, _key(model), self.answer, self.people.asker, self.people.author)
        names = [(label.index, label.probability) for label in finding.labels[:RANKED]]
        if finding.headline:
            names.insert(0, (model.coarse.index(finding.headline.name), finding.headline.probability))
        bits = flags
        for index, probability in names:
            bits = bits << _NAME | index << _PER_CENT | _per_cent(probability)
        tail = bits.to_bytes(-(-(_FLAGS + _NAME * len(names)) // 8))
        return base64.b85encode(seal.seal(head + tail, PURPOSE)).decode()

    @classmethod
    def unpack(cls, text: str, models: Iterable[ModelInfo], seal: MarkSeal) -> tuple[ImageMark, ModelInfo]:
        """Return what `pack` packed, and which of `models` it was packed with.

        Raises `OtherModel` if it was none of them, or if it was not packed with this seal.
        """
        try:
            packed = seal.opened(base64.b85decode(text), PURPOSE)
            image, key, answer, asker, author = _HEAD.unpack_from(packed)
            model = next(model for model in models if _key(model) == key)
            flags, numbers = _unpacked(packed[_HEAD.size :])
            names = [
                Label(model.labels[index], index, per_cent / 100 or _NEARLY_NOTHING, model.coarse[index])
                for index, per_cent in numbers
            ]
        except (struct.error, IndexError, ValueError, StopIteration) as error:
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


def _unpacked(tail: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Return the flags, and the class and per cent of each name."""
    bits, number = int.from_bytes(tail), (8 * len(tail) - _FLAGS) // _NAME
    names = [bits >> _NAME * (number - 1 - position) for position in range(number)]
    return bits >> _NAME * number, [
        (name >> _PER_CENT & (1 << _CLASS) - 1, name & (1 << _PER_CENT) - 1) for name in names
    ]


def _per_cent(probability: float) -> int:
    return min(round(100 * probability), 100)
