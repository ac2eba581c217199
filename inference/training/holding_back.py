"""Which pictures are not learnt from, so that it can be told how well the model does on new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inference.results import ModelUnavailable

LEAST = 5
"""Pictures of a class at least: four to learn from, and one to be judged by."""
HELD_BACK = 0.2
"""Share of each class that is not learnt from."""


class Division(NamedTuple):
    """The numbers of the pictures that are learnt from, and of those that are held back."""

    learnt: list[int]
    held_back: list[int]


def check_counts(folder: str, labels: Sequence[str], counts: Sequence[int], *, readable: bool) -> None:
    """Raise ModelUnavailable where a class has fewer than `LEAST` pictures.

    `readable`: those that are damaged, or there twice, are not among the counts.
    """
    for label, count in zip(labels, counts, strict=True):
        if count < LEAST:
            what = f"{count} {'picture' if count == 1 else 'pictures'}"
            what += " that can be read and differ" if readable else ""
            raise ModelUnavailable(
                f"The class {label} in {folder} has {what}, and training takes at least {LEAST} of each "
                "class: add some, better a hundred."
            )


def divide(labels: Sequence[int], digests: Sequence[bytes]) -> Division:
    """Hold back a fifth of each class: of the pictures with these labels, those whose hashes come first.

    So the same pictures are held back every time, whatever their files are called.
    """
    learnt, held_back = [], []
    for label in sorted(set(labels)):
        own = sorted((digests[i], i) for i, each in enumerate(labels) if each == label)
        few = max(round(HELD_BACK * len(own)), 1)
        held_back += [i for _, i in own[:few]]
        learnt += [i for _, i in own[few:]]
    return Division(learnt, held_back)
