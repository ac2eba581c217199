"""What is taught, and what the process that knows it answers. The bot imports this, and the client.

Everything here is plain and frozen, and imports nothing heavy. Ids of servers, labels and examples are those
of the store.
"""

from __future__ import annotations

from typing import NamedTuple

ENOUGH = 5
"""Examples of a label from which on names by it are mostly right."""

GOOD_SHARE = 0.75
"""Of a label's examples that are named right, what is expected of one that needs no more."""


class TaughtExample(NamedTuple):
    """One example of a server: its fingerprint, and whose label it has; None means "none of these"."""

    example: int
    label: int | None
    fingerprint: bytes


class TaughtAnswer(NamedTuple):
    """The label that fits a picture best, and whether it fits well enough to be said.

    `score` is the cosine between the picture and the label's examples, -1 to 1, `needed` the least that is
    accepted. `few`: the label has so few examples that one name in five is wrong.
    """

    label: int
    score: float
    needed: float
    accepted: bool
    few: bool


class MixUp(NamedTuple):
    """So many examples of one label were taken for the other, counted in both directions."""

    label: int
    other: int
    times: int


class SuspectExample(NamedTuple):
    """An example that looks more like another label than like its own."""

    example: int
    label: int
    looks_like: int


class TeachingReport(NamedTuple):
    """How well a server's labels name its own examples, each named by what all the others teach.

    `labels` are in ascending order, and `counts` has how many examples each has. `confusion[i][j]` counts the
    examples of label i that were named j, `refused[i]` those that got no name. An example that is the only
    one of its label cannot be tested, and is in neither. `nones` is how many were taught as "none of these".
    `suspects` are the examples that look wrong, the most striking first.
    """

    labels: tuple[int, ...]
    counts: tuple[int, ...]
    confusion: tuple[tuple[int, ...], ...]
    refused: tuple[int, ...]
    nones: int
    suspects: tuple[SuspectExample, ...]

    @property
    def tested(self) -> int:
        """How many examples were tested."""
        return sum(map(sum, self.confusion)) + sum(self.refused)

    @property
    def right(self) -> int:
        """How many of them got the name of their own label."""
        return sum(row[place] for place, row in enumerate(self.confusion))

    @property
    def accuracy(self) -> float | None:
        """The share of the tested examples that was named right, 0 to 1; None where none could be tested."""
        return self.right / self.tested if self.tested else None

    @property
    def mix_ups(self) -> tuple[MixUp, ...]:
        """The pairs of labels that are mixed up, the most frequent first."""
        found = [
            MixUp(label, other, times)
            for first, label in enumerate(self.labels)
            for second, other in enumerate(self.labels[:first])
            if (times := self.confusion[first][second] + self.confusion[second][first])
        ]
        return tuple(sorted(found, key=lambda pair: -pair.times))

    @property
    def thin(self) -> tuple[int, ...]:
        """The labels that have fewer than `ENOUGH` examples, the thinnest first: teach these next."""
        pairs = sorted(zip(self.counts, self.labels, strict=True))
        return tuple(label for count, label in pairs if count < ENOUGH)

    @property
    def weak(self) -> tuple[int, ...]:
        """The labels with enough examples of which less than three quarters are named right, worst first."""
        shares = [
            (row[place] / tested, label)
            for place, (label, row, refused) in enumerate(
                zip(self.labels, self.confusion, self.refused, strict=True)
            )
            if self.counts[place] >= ENOUGH and (tested := sum(row) + refused)
        ]
        return tuple(label for share, label in sorted(shares) if share < GOOD_SHARE)


class KnowledgeFailed(Exception):
    """What was taught cannot be asked now; the message says why, for the log."""
