"""Thresholds are fitted to so many false alarms, and the recall is of what passes either."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.fingerprinting import ORIGINAL, Looks
from benchmarks.finding.reposts import RepostScores, Thresholds, repost_scores


def scores(own: list[float], own_bits: list[int], strange: list[float]) -> RepostScores:
    cosines = np.array(strange, np.float32)
    return RepostScores(
        {"mirrored": np.array(own, np.float32)},
        {"mirrored": np.array(own_bits)},
        {"mirrored": cosines},
        {"mirrored": np.full(len(strange), 40)},
    )


def test_either_of_both_is_enough() -> None:
    made = scores([0.9, 0.5, 0.5], [40, 3, 40], [0.1] * 10)
    assert made.recall(Thresholds(0.8, 4)) == {"mirrored": 2 / 3}


def test_the_fit_allows_one_false_alarm_in_a_hundred() -> None:
    made = scores([0.75, 0.65], [40, 40], [number / 200 for number in range(1, 201)])
    fitted = made.fit()
    assert made.false_alarms(fitted) <= 0.01
    assert 0.98 < fitted.cosine <= 1.0
    lenient = Thresholds(fitted.cosine - 0.01, fitted.bits)
    assert made.false_alarms(lenient) > 0.01


def test_a_picture_is_compared_with_itself_and_a_stranger_with_all() -> None:
    random = np.random.default_rng(2)
    vectors = random.standard_normal((9, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    before = looks(vectors)
    made = repost_scores({ORIGINAL: before, "mirrored": before}, np.arange(9))
    np.testing.assert_allclose(made.own_cosines["mirrored"], np.ones(6), atol=1e-6)
    assert made.own_bits["mirrored"].tolist() == [0] * 5 + [65], "the last known one has no hash"
    np.testing.assert_allclose(made.strange_cosines["mirrored"], (vectors[6:] @ vectors[:6].T).max(axis=1))


def looks(vectors: NDArray[np.float32]) -> Looks:
    count = len(vectors)
    return Looks(vectors, np.arange(count, dtype=np.uint64), np.arange(count) != 5)
