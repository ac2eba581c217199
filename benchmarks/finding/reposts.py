"""How many pictures are recognised that were changed and posted again, at 1 % of false alarms.

The pictures are halved into those to fit the two thresholds on and those to judge them by. Of either half,
two thirds are known: they are in the index. The others are strangers. An alarm is false where a stranger,
changed in any of the ways, looks like any picture of the index.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.fingerprinting import ORIGINAL, Looks

FALSE_ALARMS = 0.01
KNOWN_SHARE = 2 / 3
NO_HASH = 65
MOST_BITS = 16


class Thresholds(NamedTuple):
    """A picture is known if its cosine to one of the index is at least `cosine`, or its hash differs in at
    most `bits` bits."""

    cosine: float
    bits: int


class RepostScores(NamedTuple):
    """How much known pictures are like themselves after each change, and strangers like any of the index.

    By the name of the change: cosines, float32 [n], and differing bits, [n].
    """

    own_cosines: dict[str, NDArray[np.float32]]
    own_bits: dict[str, NDArray[np.int64]]
    strange_cosines: dict[str, NDArray[np.float32]]
    strange_bits: dict[str, NDArray[np.int64]]

    def recall(self, thresholds: Thresholds) -> dict[str, float]:
        """Return the share of known pictures that are recognised after each change."""
        return {
            name: float(np.mean((own >= thresholds.cosine) | (self.own_bits[name] <= thresholds.bits)))
            for name, own in self.own_cosines.items()
        }

    def false_alarms(self, thresholds: Thresholds) -> float:
        """Return the share of strangers that are taken for a picture of the index, over all changes."""
        cosines, bits = self._strangers()
        return float(np.mean((cosines >= thresholds.cosine) | (bits <= thresholds.bits)))

    def fit(self, *, most_bits: int = MOST_BITS) -> Thresholds:
        """Return the thresholds of the greatest mean recall with at most `FALSE_ALARMS`.

        `most_bits` of -1 leaves the hash out.
        """
        cosines, bits = self._strangers()
        allowed = int(FALSE_ALARMS * len(cosines))
        fitted = []
        for limit in range(-1, most_bits + 1):
            left = allowed - int((bits <= limit).sum())
            if left < 0:
                break
            others = np.sort(cosines[bits > limit])[::-1]
            cosine = float(np.nextafter(others[left], np.float32(2)))
            thresholds = Thresholds(cosine, limit)
            fitted.append((float(np.mean(list(self.recall(thresholds).values()))), thresholds))
        return max(fitted)[1]

    def _strangers(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        return np.concatenate(list(self.strange_cosines.values())), np.concatenate(
            list(self.strange_bits.values())
        )


def repost_scores(looks: Mapping[str, Looks], numbers: NDArray[np.int64]) -> RepostScores:
    """Return how much the pictures of these numbers are like themselves after each change, and strangers."""
    known, strange = np.split(numbers, [round(len(numbers) * KNOWN_SHARE)])
    index = looks[ORIGINAL]
    scores = RepostScores({}, {}, {}, {})
    for name, changed in looks.items():
        if name == ORIGINAL:
            continue
        own = np.einsum("ij,ij->i", changed.fingerprints[known], index.fingerprints[known])
        scores.own_cosines[name] = own
        scores.own_bits[name] = np.diag(_bits(changed, known, index, known)).copy()
        others = changed.fingerprints[strange] @ index.fingerprints[known].T
        scores.strange_cosines[name] = others.max(axis=1)
        scores.strange_bits[name] = _bits(changed, strange, index, known).min(axis=1)
    return scores


def _bits(
    changed: Looks, rows: NDArray[np.int64], index: Looks, columns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return in how many bits the hashes differ, [rows, columns]; `NO_HASH` where one is missing."""
    differing = np.bitwise_count(changed.hashes[rows][:, None] ^ index.hashes[columns][None]).astype(np.int64)
    differing[~(changed.hashed[rows][:, None] & index.hashed[columns][None])] = NO_HASH
    return np.asarray(differing, np.int64)
