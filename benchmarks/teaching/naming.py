"""How many pictures get the right taught name, and how many strangers one, over random draws of examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.teaching.pictures import Strangers, TaughtKind, Vectors
from inference.teaching.background import Background, unit
from inference.teaching.head import NONE, TaughtHead, TaughtName

LEFT_TO_TEST = 4
"""Pictures that a label has to have beside its examples to take part."""
MOST_LEFT_OUT = 10
"""Labels that are left out, one after the other, to be strangers of the same kind."""
WARNINGS = 5
"""Pictures that are taught as "none of these", of a label that is left out."""
UNEQUAL = (1, 2, 3, 5, 8, 13, 20)
"""Examples of a label where labels have unequally many: each draws one of these."""


@dataclass(frozen=True, slots=True)
class NamingFigures:
    """Shares, 0 to 1, on average over draws.

    `right`: the label that fits best is right, accepted or not. `named`: it is right and accepted. `wrong`:
    it is wrong and accepted. `nearest`: the nearest mean of plain fingerprints is right. `strangers` has the
    share of each group that got a taught name, `same_kind` that of a label's pictures while all labels but it
    were taught, and `same_kind_warned` the same once `WARNINGS` of its pictures were taught as "none of
    these"; None of two labels.
    """

    kind: str
    labels: int
    examples: int
    right: float
    named: float
    wrong: float
    nearest: float
    strangers: dict[str, float]
    same_kind: float | None
    same_kind_warned: float | None


def measure(
    kind: TaughtKind,
    examples: int,
    background: Background,
    strangers: Sequence[Strangers],
    *,
    draws: int,
) -> NamingFigures | None:
    """Measure with so many examples of each label; None where under two labels have enough pictures."""
    chosen = [
        label for label in np.unique(kind.labels) if (kind.labels == label).sum() >= examples + LEFT_TO_TEST
    ]
    if len(chosen) < 2:  # noqa: PLR2004 - one label is no choice
        return None
    counts = {int(label): examples for label in chosen}
    return _measured(kind, counts, background, strangers, examples=examples, draws=draws)


def measure_unequal(
    kind: TaughtKind, background: Background, strangers: Sequence[Strangers], *, draws: int
) -> NamingFigures:
    """Measure with a number of examples of each label that is drawn from `UNEQUAL`; `examples` is then 0."""
    random = np.random.default_rng(7)
    counts = {
        int(label): min(int(random.choice(UNEQUAL)), int((kind.labels == label).sum()) - LEFT_TO_TEST)
        for label in np.unique(kind.labels)
        if (kind.labels == label).sum() > LEFT_TO_TEST
    }
    return _measured(kind, counts, background, strangers, examples=0, draws=draws)


def _measured(
    kind: TaughtKind,
    counts: dict[int, int],
    background: Background,
    strangers: Sequence[Strangers],
    *,
    examples: int,
    draws: int,
) -> NamingFigures:
    random = np.random.default_rng(12)
    found: list[list[float]] = []
    for _ in range(draws):
        taught = _draw(kind, counts, random)
        asked = np.setdiff1d(np.flatnonzero(np.isin(kind.labels, list(counts))), taught)
        head = TaughtHead(kind.examples[taught], kind.labels[taught], background)
        names, truth = _names(head, kind.questions[asked]), kind.labels[asked]
        # Each label counts alike, however many pictures of it there are.
        right = _by_label((name.label == label for name, label in zip(names, truth, strict=True)), truth)
        named = _by_label(
            (name.label == label and name.accepted for name, label in zip(names, truth, strict=True)), truth
        )
        accepted = _by_label((name.accepted for name in names), truth)
        means = {label: kind.examples[taught][kind.labels[taught] == label].mean(axis=0) for label in counts}
        nearest = unit(np.stack(list(means.values()))) @ kind.questions[asked].T
        near = _by_label(np.array(list(means))[nearest.argmax(axis=0)] == truth, truth)
        taken = [_share(name.accepted for name in _names(head, group.questions)) for group in strangers]
        found.append([right, named, accepted - named, near, *taken])
    right, named, wrong, near, *taken = (float(value) for value in np.mean(found, axis=0))
    groups = {group.name: share for group, share in zip(strangers, taken, strict=True)}
    alike = warned = None
    if len(counts) > 2:  # noqa: PLR2004 - one is left out, and the others have to be a choice
        alike = _same_kind(kind, counts, background, warnings=0)
        warned = _same_kind(kind, counts, background, warnings=WARNINGS)
    return NamingFigures(kind.name, len(counts), examples, right, named, wrong, near, groups, alike, warned)


def _same_kind(
    kind: TaughtKind, counts: dict[int, int], background: Background, *, warnings: int
) -> float | None:
    """Return the share of pictures that get a name while their own label is the one that is not taught.

    So many of its pictures are taught as "none of these", as they were asked about, and not asked again.
    """
    random = np.random.default_rng(5)
    shares = []
    enough = [label for label in counts if (kind.labels == label).sum() > WARNINGS]
    for left_out in enough[:MOST_LEFT_OUT]:
        taught = _draw(kind, {label: count for label, count in counts.items() if label != left_out}, random)
        places = random.permutation(np.flatnonzero(kind.labels == left_out))
        warned, asked = places[:warnings], places[warnings:]
        head = TaughtHead(
            np.concatenate([kind.examples[taught], kind.questions[warned]]),
            [*kind.labels[taught], *[NONE] * len(warned)],
            background,
        )
        shares.append(_share(name.accepted for name in _names(head, kind.questions[asked])))
    return _mean(shares)


def mean_of(figures: Sequence[NamingFigures]) -> NamingFigures:
    """Return the mean over kinds, each of which counts alike."""
    names = dict.fromkeys(name for each in figures for name in each.strangers)
    groups = {
        name: float(np.mean([each.strangers[name] for each in figures if name in each.strangers]))
        for name in names
    }
    right, named, wrong, near = (
        float(np.mean([getattr(each, field) for each in figures]))
        for field in ("right", "named", "wrong", "nearest")
    )
    return NamingFigures(
        f"mean of {len(figures)} kinds",
        sum(each.labels for each in figures),
        figures[0].examples,
        right,
        named,
        wrong,
        near,
        groups,
        _mean([each.same_kind for each in figures]),
        _mean([each.same_kind_warned for each in figures]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _draw(kind: TaughtKind, counts: dict[int, int], random: np.random.Generator) -> NDArray[np.int64]:
    """Return the places of so many random examples of each label."""
    drawn = [
        random.permutation(np.flatnonzero(kind.labels == label))[:count] for label, count in counts.items()
    ]
    return np.concatenate(drawn)


def _names(head: TaughtHead, questions: Vectors) -> list[TaughtName]:
    return [head.name(question) for question in questions]


def _share(flags: Iterable[bool]) -> float:
    return float(np.mean(list(flags)))


def _by_label(flags: Iterable[bool], truth: NDArray[np.int64]) -> float:
    """Return the mean over labels of the share of each that is true."""
    values = np.array(list(flags), float)
    return float(np.mean([values[truth == label].mean() for label in np.unique(truth)]))
