"""Find the pictures of one server that look like a given one, among their fingerprints in short.

Those whose signs differ least are picked first, which is a hundredth of the work. Only they are multiplied,
block by block: a block of 8-bit numbers is made float32 where the processor's cache holds it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.knowledge.projection import DIMENSIONS, WORDS, Projection

CANDIDATES = 200
"""Pictures that are compared by their whole fingerprints in the end."""
PICKED = 20_000
"""Pictures that are picked by their signs, at least."""
BLOCK = 1024
"""Rows that are multiplied at once."""
GROWTH = 4096
"""Rows for which room is made when there is none left."""
MOST_BITS = 65


class PicturePlace(NamedTuple):
    """Which picture it is: the `position` counts the pictures of a message from 0."""

    message: int
    position: int


class IndexRows(NamedTuple):
    """Pictures to be added, a row each.

    `places` are the channels where they are: of a thread its channel. `fingerprints` is phi, float32
    [n, width]; `hashes` are perceptual hashes, uint64 [n], and `hashed`, bool [n], whether there is one.
    """

    messages: NDArray[np.int64]
    positions: NDArray[np.uint8]
    places: NDArray[np.int64]
    fingerprints: NDArray[np.float32]
    hashes: NDArray[np.uint64]
    hashed: NDArray[np.bool_]


_ROW = np.dtype(
    [
        ("message", np.int64),
        ("position", np.uint8),
        ("hashed", np.bool_),
        ("place", np.uint32),
        ("hash", np.uint64),
        ("scale", np.float32),
        ("offset", np.float32),
    ]
)


class ImageIndex:
    """The pictures of one server, of one kind of fingerprints that have `width` numbers."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._projection: Projection | None = None
        self._count = 0
        self._columns = {name: np.empty(0, _ROW[name]) for name in _ROW.names or ()}
        self._codes = np.empty((0, DIMENSIONS), np.int8)
        self._signs = [np.empty(0, np.uint64) for _ in range(WORDS)]
        self._places: dict[int, int] = {}
        self._block = np.empty((BLOCK, DIMENSIONS), np.float32)

    def __len__(self) -> int:
        return self._count

    @property
    def bytes(self) -> int:
        """Memory that it takes."""
        arrays = (*self._columns.values(), *self._signs, self._codes, self._block)
        projection = self.width * DIMENSIONS * 4 if self._projection else 0
        return sum(array.nbytes for array in arrays) + projection

    def add(self, rows: IndexRows) -> None:
        """Add pictures; those that are in it already are replaced."""
        if not len(rows.messages):
            return
        self._remove(self._places_of(rows))
        if self._projection is None:
            self._projection = Projection(rows.fingerprints.mean(axis=0, dtype=np.float32))
        short = self._projection.shorten(rows.fingerprints)
        first, last = self._count, self._count + len(rows.messages)
        self._make_room(last)
        new = {
            "message": rows.messages,
            "position": rows.positions,
            "hashed": rows.hashed,
            "place": [self._places.setdefault(int(place), len(self._places)) for place in rows.places],
            "hash": rows.hashes,
            "scale": short.scales,
            "offset": short.offsets,
        }
        for name, values in new.items():
            self._columns[name][first:last] = values
        self._codes[first:last] = short.codes
        for words, new_words in zip(self._signs, short.signs.T, strict=True):
            words[first:last] = new_words
        self._count = last

    def remove_messages(self, messages: Collection[int]) -> None:
        """Take the pictures of messages out."""
        self._remove(np.flatnonzero(np.isin(self._column("message"), np.fromiter(messages, np.int64))))

    def nearest(
        self,
        fingerprint: NDArray[np.float32],
        places: Collection[int] | None = None,
        count: int = CANDIDATES,
    ) -> list[PicturePlace]:
        """Return the `count` pictures nearest to phi, float32 [width], as the short form tells; best first.

        `places`: only those of these channels; None: all.
        """
        if self._projection is None or not self._count:
            return []
        query, signs = self._projection.query(fingerprint)
        rows = self._alike_in_sign(signs, self._allowed(places))
        return self._named(rows[_largest(self._scores(rows, query), count)])

    def copies(
        self, perceptual_hash: int, most_bits: int, places: Collection[int] | None = None
    ) -> list[PicturePlace]:
        """Return the pictures whose perceptual hash differs in at most `most_bits` bits, nearest first."""
        differing = np.bitwise_count(self._column("hash") ^ np.uint64(perceptual_hash)).astype(np.uint8)
        differing[~self._column("hashed")] = MOST_BITS
        if (allowed := self._allowed(places)) is not None:
            differing[~allowed] = MOST_BITS
        rows = np.flatnonzero(differing <= most_bits)
        rows = rows[np.argsort(differing[rows], kind="stable")]
        return self._named(rows[:CANDIDATES])

    def _column(self, name: str) -> NDArray[Any]:
        return self._columns[name][: self._count]

    def _allowed(self, places: Collection[int] | None) -> NDArray[np.bool_] | None:
        """Return which rows are in `places`, bool [n]; None for all."""
        if places is None:
            return None
        table = np.zeros(len(self._places), np.bool_)
        table[[self._places[place] for place in places if place in self._places]] = True
        return np.asarray(table[self._column("place")])

    def _scores(self, rows: NDArray[np.intp], query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the products of these rows with a query, but for what is the same for all."""
        scores = np.empty(len(rows), np.float32)
        for first in range(0, len(rows), BLOCK):
            some = rows[first : first + BLOCK]
            block = self._block[: len(some)]
            np.copyto(block, self._codes[some])
            np.dot(block, query, out=scores[first : first + len(some)])
        return np.asarray(scores * self._columns["scale"][rows] + self._columns["offset"][rows])

    def _alike_in_sign(
        self, signs: NDArray[np.uint64], allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.intp]:
        """Return at least `PICKED` rows, if there are so many, whose signs differ least."""
        differing = np.zeros(self._count, np.uint16)
        for own, word in zip(self._signs, signs, strict=True):
            differing += np.bitwise_count(own[: self._count] ^ word)
        if allowed is not None:
            differing[~allowed] = DIMENSIONS + 1
        up_to = np.cumsum(np.bincount(differing, minlength=DIMENSIONS + 2))[: DIMENSIONS + 1]
        return np.flatnonzero(differing <= np.searchsorted(up_to, min(PICKED, up_to[-1])))

    def _named(self, rows: NDArray[np.intp]) -> list[PicturePlace]:
        messages, positions = self._column("message")[rows], self._column("position")[rows]
        return [
            PicturePlace(int(message), int(position))
            for message, position in zip(messages, positions, strict=True)
        ]

    def _places_of(self, rows: IndexRows) -> NDArray[np.intp]:
        """Return the rows of pictures that are in it already."""
        known = np.flatnonzero(np.isin(self._column("message"), rows.messages))
        new = set(zip(rows.messages.tolist(), rows.positions.tolist(), strict=True))
        again = [name in new for name in self._named(known)]
        return known[np.array(again, np.bool_)]

    def _remove(self, rows: NDArray[np.intp]) -> None:
        """Take rows out, and fill the holes with the last ones."""
        if not len(rows):
            return
        left = self._count - len(rows)
        holes = rows[rows < left]
        stay = np.setdiff1d(np.arange(left, self._count), rows, assume_unique=True)
        for column in (*self._columns.values(), *self._signs, self._codes):
            column[holes] = column[stay]
        self._count = left

    def _make_room(self, rows: int) -> None:
        """Have room for so many rows. A large array is moved by the kernel, which copies nothing."""
        room = len(self._codes)
        if rows <= room:
            return
        room = max(rows, room + GROWTH)
        for column in (*self._columns.values(), *self._signs):
            column.resize(room, refcheck=False)
        self._codes.resize((room, DIMENSIONS), refcheck=False)


def cosines(fingerprint: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine of phi, float32 [width], to others, float32 [n, width]; 0 to nothing at all."""
    lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(fingerprint)
    return np.asarray(others @ fingerprint / np.where(lengths == 0, 1, lengths), np.float32)


def _largest(scores: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Return the indices of the `count` largest scores, the largest first."""
    count = min(count, len(scores))
    some = np.argpartition(-scores, count - 1)[:count] if count else np.empty(0, np.intp)
    return some[np.argsort(-scores[some], kind="stable")]
