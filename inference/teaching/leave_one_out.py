"""Test what a server taught on its own examples: each is named by what all the others teach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.teaching import ridge
from inference.teaching.background import Background
from inference.teaching.head import NONE, TaughtHead

MOST_SUSPECTS = 50


class Suspect(NamedTuple):
    """The example at this place looks more like the label `other` than like its own."""

    place: int
    label: int
    other: int


class LeaveOneOut(NamedTuple):
    """The result for labels in ascending order, each with its count of examples.

    `confusion`, int64 [labels, labels], counts the examples of the label of the row that were named as the
    column, `refused`, int64 [labels], those that got no name. Examples that are alone in their label are in
    neither. `suspects` are at most `MOST_SUSPECTS`, the most striking first.
    """

    labels: list[int]
    counts: list[int]
    confusion: NDArray[np.int64]
    refused: NDArray[np.int64]
    suspects: list[Suspect]


def leave_one_out(
    fingerprints: NDArray[np.float32], labels: Sequence[int] | NDArray[np.int64], background: Background
) -> LeaveOneOut:
    """Name each example by all others. The arguments are those of `TaughtHead`, and so is what it raises.

    Whether a name is accepted is asked of the thresholds of all examples: one alone hardly moves them.
    """
    head = TaughtHead(fingerprints, labels, background)
    numbers = np.asarray(labels)
    columns = [*head.labels, NONE] if NONE in numbers else head.labels
    own = np.searchsorted(np.array(head.labels), numbers)  # of NONE it is 0, and not used
    belongs = np.stack([numbers == number for number in columns], axis=1).astype(np.float32)
    whitened = background.whitened(fingerprints)
    named = ridge.left_out(whitened, belongs).argmax(axis=1)
    cosines = whitened @ head.means.T
    left_out = head.left_out_scores()
    counts = [len(left_out[label]) or int((numbers == label).sum()) for label in head.labels]
    testable = (numbers != NONE) & (np.array(counts)[own] > 1)
    for column, label in enumerate(head.labels):
        if left_out[label]:
            cosines[numbers == label, column] = left_out[label]
    size = len(head.labels)
    places = np.arange(len(numbers))
    accepted = (named < size) & (
        cosines[places, named] >= np.append(head.needed, np.inf)[np.minimum(named, size)]
    )
    confusion = np.zeros((size, size), np.int64)
    np.add.at(confusion, (own[testable & accepted], named[testable & accepted]), 1)
    refused = np.bincount(own[testable & ~accepted], minlength=size)
    # What both the nearest mean and the regression take for another label.
    nearest = cosines[:, :size].argmax(axis=1)
    wrong = np.flatnonzero(testable & (nearest != own) & (named != own))
    margin = cosines[wrong, nearest[wrong]] - cosines[wrong, own[wrong]]
    suspects = [
        Suspect(int(place), int(numbers[place]), head.labels[nearest[place]])
        for place in wrong[np.argsort(-margin, kind="stable")][:MOST_SUSPECTS]
    ]
    return LeaveOneOut(head.labels, counts, confusion, refused, suspects)
