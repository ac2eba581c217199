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
from inference.results import RANKED, Coarse, Label, ModelInfo, PictureKind

MARK_CHARACTERS: Final = 83
"""Characters of a mark at most; with its prefix it is within the 100 of a `custom_id` and of an option."""
CLASSES = 1 << 16
_HEAD = struct.Struct(">B3sQQQ")  # image, model, answer, asker, author
_SPOILER, _DOUBTFUL, _COARSE, _TAUGHT = 1, 2, 4, 8
_EACH = 16
"""Combinations of these flags."""
_KINDS: Final[tuple[PictureKind | None, ...]] = (None, "photo", "drawing", "screenshot")
_FLAGS, _PER_CENTS = _EACH * len(_KINDS), 101
"""How many numbers there are of each. After the head comes one large number: the flags with the kind, and
behind them, for each name, its class and its per cent. It fills what the head leaves to the last bits, so a
taught label takes the place of a name, and one guess less is kept."""
_NAME = CLASSES * _PER_CENTS
MOST_NAMES = RANKED + 1
"""Names for which there is room: those that are ranked, and an everyday one or a taught label."""
PURPOSE = "mark 3"
"""What is signed. It changes with the form of a mark, so that one of an earlier form is not misread."""
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
    """One image of one answer. `image` counts from 0. `answer` is the answer's id, 0 while it has none.

    `taught` is the number of the server's own label that was said, and `few` whether from few examples.
    """

    finding: Finding
    image: int
    spoiler: bool
    people: People
    answer: int = 0
    kind: PictureKind | None = None
    taught: int | None = None
    few: bool = False

    def under(self, answer: int) -> ImageMark:
        """Return the mark with the id of its answer, unless it has one already."""
        return replace(self, answer=self.answer or answer)

    def pack(self, model: ModelInfo, seal: MarkSeal) -> str:
        """Return at most `MARK_CHARACTERS` characters for `unpack`; probabilities are kept in per cent."""
        finding = self.finding
        flags = self.spoiler * _SPOILER | finding.doubtful * _DOUBTFUL | bool(finding.headline) * _COARSE
        flags |= (self.taught is not None) * _TAUGHT
        head = _HEAD.pack(self.image, _key(model), self.answer, self.people.asker, self.people.author)
        names = [label.index * _PER_CENTS + _per_cent(label.probability) for label in finding.labels[:RANKED]]
        if coarse := finding.headline:
            index = model.coarse.index(coarse.name)
            names.insert(0, index * _PER_CENTS + _per_cent(coarse.probability))
        if self.taught is not None:
            names.insert(0, 2 * self.taught + self.few)
        number = _KINDS.index(self.kind) * _EACH + flags
        names = names[:MOST_NAMES]
        for name in names:
            number = number * _NAME + name
        tail = number.to_bytes(_bytes(len(names)))
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
            flags, kind, numbers = _unpacked(packed[_HEAD.size :])
            taught, few = divmod(numbers.pop(0), 2) if flags & _TAUGHT else (None, 0)
            names = [
                Label(model.labels[index], index, per_cent / 100 or _NEARLY_NOTHING, model.coarse[index])
                for index, per_cent in (divmod(number, _PER_CENTS) for number in numbers)
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
        mark = cls(
            finding, image, bool(flags & _SPOILER), People(asker, author), answer, kind, taught, bool(few)
        )
        return mark, model


def can_be_packed(model: ModelInfo) -> bool:
    """Tell whether the names of a model can be packed: they are known, and their numbers fit."""
    return 0 < len(model.labels) == len(model.coarse) <= CLASSES


@lru_cache(maxsize=16)
def _key(model: ModelInfo) -> bytes:
    """Return three bytes that tell a model, with its labels, from another."""
    names = "\n".join((model.name, model.content_hash, *model.labels))
    return hashlib.sha256(names.encode()).digest()[:3]


def _bytes(names: int) -> int:
    """Return how many bytes the number of a mark with so many names takes; no two counts take as many."""
    largest: int = _FLAGS * _NAME**names - 1
    return -(-largest.bit_length() // 8)


def _unpacked(tail: bytes) -> tuple[int, PictureKind | None, list[int]]:
    """Return the flags, the kind, and the number of each name."""
    number, names = int.from_bytes(tail), list[int]()
    for _ in range(next(count for count in range(MOST_NAMES + 1) if _bytes(count) == len(tail))):
        number, name = divmod(number, _NAME)
        names.insert(0, name)
    kind, flags = divmod(number, _EACH)
    return flags, _KINDS[kind], names


def _per_cent(probability: float) -> int:
    return min(round(100 * probability), 100)
