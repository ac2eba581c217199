"""An example is named by all others, exactly as if it had been left out of the fit."""

from __future__ import annotations

import numpy as np
import pytest

from inference.teaching import ridge
from inference.teaching.head import NONE, TaughtHead
from inference.teaching.leave_one_out import leave_one_out
from tests.inference.teaching.clusters import WIDTH, background, cluster


@pytest.mark.parametrize("counts", [(3, 4), (2, 1, 6), (WIDTH, 40)])
def test_what_the_regression_says_is_what_a_fit_without_the_example_says(counts: tuple[int, ...]) -> None:
    whitened = background().whitened(np.concatenate([cluster(i, n, spread=2) for i, n in enumerate(counts)]))
    belongs = np.eye(len(counts), dtype=np.float32)[np.repeat(range(len(counts)), counts)]
    said = ridge.left_out(whitened, belongs)
    for place in range(0, len(whitened), 3):
        others = np.arange(len(whitened)) != place
        weights = ridge.weights(whitened[others], belongs[others])
        assert np.allclose(whitened[place] @ weights, said[place], atol=2e-4)


def test_the_names_are_those_of_heads_without_the_example() -> None:
    fingerprints = np.concatenate([cluster(number, 6, spread=3) for number in (3, 7, 11, 99)])
    labels = np.repeat([3, 7, 11, NONE], 6)
    tested = leave_one_out(fingerprints, labels, background())
    confusion = np.zeros((3, 3), int)
    scores: dict[bool, list[float]] = {True: [], False: []}
    for place in np.flatnonzero(labels != NONE):
        others = np.arange(len(labels)) != place
        head = TaughtHead(fingerprints[others], labels[others], background())
        named = head.name(fingerprints[place])
        scores[named.accepted].append(named.score)
        if named.accepted:
            confusion[tested.labels.index(labels[place]), tested.labels.index(named.label)] += 1
    # Thresholds are those of all examples, so a name that is just accepted may be just refused.
    assert abs(tested.confusion - confusion).sum() <= 2
    assert tested.confusion.sum() + tested.refused.sum() == 18
    assert confusion.trace() > 9
    assert tested.counts == [6, 6, 6]


def test_the_only_example_of_a_label_cannot_be_tested() -> None:
    fingerprints = np.concatenate([cluster(3, 5), cluster(7, 1)])
    tested = leave_one_out(fingerprints, [3] * 5 + [7], background())
    assert tested.counts == [5, 1]
    assert tested.confusion[1].sum() == tested.refused[1] == 0
    assert tested.confusion[0].sum() + tested.refused[0] == 5


def test_examples_under_the_wrong_label_are_found_first() -> None:
    fingerprints = np.concatenate([cluster(3, 8), cluster(7, 8), cluster(7, 2, seed=4)])
    tested = leave_one_out(fingerprints, [3] * 8 + [7] * 8 + [3] * 2, background())
    assert {suspect.place for suspect in tested.suspects} == {16, 17}
    assert {(suspect.label, suspect.other) for suspect in tested.suspects} == {(3, 7)}
