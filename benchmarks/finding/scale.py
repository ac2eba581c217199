"""How fast and how rightly the ten nearest pictures are found among very many.

There are not so many real pictures here, so more are made of them: the features of two are mixed, and each
number of the mixture is made somewhat larger or smaller. They lie less close together than pictures of one
community may; what that changes is the recall, and not the time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.knowledge.image_index import ImageIndex, IndexRows, cosines

CHUNK = 10_000
JITTER = 0.6
"""Standard deviation of the logarithm by which a number is made larger or smaller."""
QUERIES = 200
EXACT_QUERIES = 50
ADDED = 300
TOP = 10
LARGEST = 127


class ScaleResult(NamedTuple):
    """What so many `pictures` in an index cost.

    `median` and `p95` are milliseconds of a query, with the comparison of the candidates by their whole
    fingerprints; `adding` is the 95th percentile of adding one picture. They are of the processor's time on
    one core: on a busy machine more goes by, which says nothing of the index; `waited` is what went by, p95.
    """

    pictures: int
    recall: float
    median: float
    p95: float
    waited: float
    adding: float
    megabytes: float


class PackedFingerprints:
    """Whole fingerprints as the store has them: a number of 8 bits each, and a scale."""

    def __init__(self, count: int, width: int) -> None:
        self._numbers = np.empty((count, width), np.int8)
        self._scales = np.empty((count, 1), np.float32)

    def put(self, first: int, fingerprints: NDArray[np.float32]) -> NDArray[np.float32]:
        """Keep fingerprints from row `first` on, and return them as rounded."""
        rows = slice(first, first + len(fingerprints))
        self._scales[rows] = np.abs(fingerprints).max(axis=1, keepdims=True) / LARGEST
        self._numbers[rows] = np.rint(fingerprints / self._scales[rows])
        return self[rows]

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray(self._numbers[rows] * self._scales[rows], np.float32)

    def nearest(self, fingerprint: NDArray[np.float32]) -> set[int]:
        """Return the rows of the ten greatest cosines to a fingerprint, by comparing all."""
        cosines = []
        for first in range(0, len(self._numbers), CHUNK):
            some = self[slice(first, first + CHUNK)]
            cosines.append(some @ fingerprint / np.linalg.norm(some, axis=1))
        return set(np.argpartition(-np.concatenate(cosines), TOP)[:TOP].tolist())


def measure_scale(real: NDArray[np.float32], count: int, seed: int = 1) -> ScaleResult:
    """Fill an index with `count` pictures made of `real` ones, phi, float32 [n, width], and measure it."""
    chance = np.random.default_rng(seed)
    width = real.shape[1]
    kept = PackedFingerprints(count, width)
    index = ImageIndex(width)
    for first, made in _chunks(real, count, chance):
        index.add(_rows(first, kept.put(first, made)))
    megabytes = index.bytes / 1e6
    queries = _made(real, QUERIES, chance)
    seconds, waits, right = [], [], []
    for number, query in enumerate(queries):
        began, on_core = time.perf_counter(), time.thread_time()
        candidates = np.array([place.message for place in index.nearest(query)])
        likeness = cosines(query, kept[candidates])
        best = candidates[np.argsort(-likeness)[:TOP]]
        seconds.append(time.thread_time() - on_core)
        waits.append(time.perf_counter() - began)
        if number < EXACT_QUERIES:
            right.append(len(kept.nearest(query) & set(best.tolist())) / TOP)
    adding = []
    for number, one in enumerate(_made(real, ADDED, chance)):
        on_core = time.thread_time()
        index.add(_rows(count + number, one[None]))
        adding.append(time.thread_time() - on_core)
    median, p95 = np.percentile(seconds, (50, 95)) * 1000
    return ScaleResult(
        count,
        float(np.mean(right)),
        float(median),
        float(p95),
        float(np.percentile(waits, 95)) * 1000,
        float(np.percentile(adding, 95)) * 1000,
        megabytes,
    )


def _chunks(
    real: NDArray[np.float32], count: int, chance: np.random.Generator
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for first in range(0, count, CHUNK):
        yield first, _made(real, min(CHUNK, count - first), chance)


def _made(real: NDArray[np.float32], count: int, chance: np.random.Generator) -> NDArray[np.float32]:
    """Return `count` fingerprints of pictures that might be, made of two real ones each."""
    features = real**2  # a fingerprint has the roots
    one, other = chance.integers(len(real), size=(2, count))
    share = chance.random((count, 1), np.float32)
    mixed = features[one] * share + features[other] * (1 - share)
    mixed *= np.exp(JITTER * chance.standard_normal(mixed.shape, np.float32))
    roots = np.sqrt(mixed)
    return np.asarray(roots / np.linalg.norm(roots, axis=1, keepdims=True), np.float32)


def _rows(first: int, fingerprints: NDArray[np.float32]) -> IndexRows:
    count = len(fingerprints)
    return IndexRows(
        messages=np.arange(first, first + count),
        positions=np.zeros(count, np.uint8),
        places=np.ones(count, np.int64),
        fingerprints=fingerprints,
        hashes=np.zeros(count, np.uint64),
        hashed=np.zeros(count, np.bool_),
    )
