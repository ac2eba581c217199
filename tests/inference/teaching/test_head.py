"""What was taught is named, what is strange is refused, and few examples are said to be few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from inference.teaching.head import FEW_THRESHOLD, NONE, TaughtHead
from tests.inference.teaching.clusters import WIDTH, background, cluster

TAUGHT = (3, 7, 11)


def head(counts: Sequence[int], *, none: Sequence[int] = ()) -> TaughtHead:
    """A head with so many examples of each of `TAUGHT`, and two of each thing that is none of these."""
    groups = [cluster(number, count) for number, count in zip(TAUGHT, counts, strict=True)]
    groups += [cluster(number, 2) for number in none]
    labels = [number for number, count in zip(TAUGHT, counts, strict=True) for _ in range(count)]
    return TaughtHead(np.concatenate(groups), labels + [NONE] * 2 * len(none), background())


@pytest.mark.parametrize("counts", [(1, 1, 1), (2, 2, 2), (5, 5, 5), (20, 5, 1), (200, 200, 200)])
def test_new_pictures_of_what_was_taught_are_named(counts: tuple[int, ...]) -> None:
    taught = head(counts)
    named = [(taught.name(each), number) for number in TAUGHT for each in cluster(number, 20, seed=1)]
    assert sum(name.label == number for name, number in named) >= 0.95 * len(named)
    assert sum(name.accepted for name, _ in named) >= 0.75 * len(named)


@pytest.mark.parametrize(("count", "most"), [(1, 15), (5, 5), (20, 5)])
def test_most_strangers_are_refused(count: int, most: int) -> None:
    taught = head((count,) * 3)
    strangers = [taught.name(cluster(number, 1)[0]) for number in range(100, 200)]
    assert sum(name.accepted for name in strangers) <= most


def test_what_was_taught_as_none_of_these_is_refused() -> None:
    """Things that look much like label 3."""
    alike = [cluster(3, 1, spread=0.9, seed=seed)[0] for seed in range(2, 8)]
    taught = head((5, 5, 5))
    assert any(taught.name(each).accepted for each in alike)
    examples = np.concatenate([*(cluster(number, 5) for number in TAUGHT), np.stack(alike)])
    warned = TaughtHead(examples, [*np.repeat(TAUGHT, 5), *[NONE] * len(alike)], background())
    assert not any(warned.name(each).accepted for each in alike)
    assert warned.labels == list(TAUGHT)


@pytest.mark.parametrize(("count", "few"), [(1, True), (2, True), (3, False)])
def test_it_says_where_a_label_has_few_examples(count: int, few: bool) -> None:
    named = head((count, 10, 10)).name(cluster(3, 1, seed=1)[0])
    assert named.label == 3
    assert named.few is few
    assert (named.needed == FEW_THRESHOLD) is few


def test_solving_for_examples_and_for_features_gives_the_same() -> None:
    """With more examples than a fingerprint has numbers the smaller system is the other one."""
    counts = (WIDTH // 2, WIDTH // 4, WIDTH // 8)
    fewer = np.concatenate([cluster(number, count) for number, count in zip(TAUGHT, counts, strict=True)])
    labels = list(np.repeat(TAUGHT, counts))
    seen = cluster(3, 1, seed=1)[0]
    once = TaughtHead(fewer, labels, background())
    twice = TaughtHead(np.concatenate([fewer, fewer]), labels * 2, background())
    assert once.name(seen).label == twice.name(seen).label == 3
    assert once.name(seen).score == pytest.approx(twice.name(seen).score, abs=1e-4)


def test_each_example_is_judged_by_the_others_of_its_label() -> None:
    scores = head((1, 2, 5)).left_out_scores()
    assert {number: len(own) for number, own in scores.items()} == {3: 0, 7: 2, 11: 5}
    assert all(-1 <= score <= 1 for own in scores.values() for score in own)


def test_nothing_taught_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="nothing has been taught"):
        TaughtHead(cluster(1, 2), [NONE, NONE], background())
