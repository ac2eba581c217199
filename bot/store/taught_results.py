"""What teaching takes and gives back, its limits, and why something is not taught."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

MOST_LABELS: Final = 100
"""Labels of one server."""
MOST_EXAMPLES: Final = 200
"""Examples of one label, and of "none of these", of one kind."""
LABEL_NAME: Final = 50
"""Characters of a label's name."""


class TeachingRefused(Exception):
    """Something cannot be taught or changed; then nothing was."""


class TooManyLabels(TeachingRefused):
    """The server has `MOST_LABELS` labels already."""


class TooManyExamples(TeachingRefused):
    """The label of this name, or "none of these", has `count` and would have more than `MOST_EXAMPLES`."""

    def __init__(self, name: str | None, count: int) -> None:
        super().__init__(f"it has {count}")
        self.name = name
        self.count = count


class AlreadyTaught(TeachingRefused):
    """All of the pictures are examples already; `name` is what the first one shows, None: none of these."""

    def __init__(self, name: str | None) -> None:
        super().__init__("the server has these examples already")
        self.name = name


class NameTaken(TeachingRefused):
    """Another label of the server has this `name` already."""

    def __init__(self, name: str) -> None:
        super().__init__("another label has this name")
        self.name = name


class NoSuchLabel(TeachingRefused):
    """The label, or the example, is not there (any more)."""


class NothingToUndo(TeachingRefused):
    """No change is left that can be undone."""


@dataclass(frozen=True, slots=True)
class NewExample:
    """A picture's fingerprint that is to be taught, whose picture it is, and where it can be seen."""

    fingerprint: bytes = field(repr=False)
    user_id: int | None = None
    channel_id: int | None = None
    message_id: int | None = None


class TaughtLesson(NamedTuple):
    """What was taught: to which label, how many examples, how many it has now, and how many were there.

    `label` is None for "none of these".
    """

    label: int | None
    added: int
    total: int
    known: int


@dataclass(frozen=True, slots=True)
class LabelCount:
    """A label, and how many examples it has of each kind; `label` is None for "none of these"."""

    label: int | None
    name: str
    kinds: Mapping[str, int]


class LastChange(NamedTuple):
    """The change that an undo takes back. `detail` is as in `TeachingChange`."""

    change: int
    what: str
    detail: Mapping[str, Any]
    made_at: datetime
