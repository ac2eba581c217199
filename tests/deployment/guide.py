"""The commands of `docs/operations.md`, as a machine follows them.

Every block that is marked as `sh` is followed, in the order of the page. A comment in the Markdown before a
block says what goes with it, and is one of `NOTES`, or `NOT_FOLLOWED` and the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
ANSWERS = "then it answers"
TOKEN_IS_RESET = "first the token is reset"  # noqa: S105 - a sentence
NOTES = frozenset({ANSWERS, TOKEN_IS_RESET})
NOT_FOLLOWED = "not followed: "


class GuideError(Exception):
    """A comment that nobody understands, or a block that nobody follows and nobody says why."""


@dataclass(frozen=True)
class Step:
    """One block of commands: the heading above it, the commands, and the notes before it."""

    section: str
    commands: str
    notes: tuple[str, ...]

    @property
    def is_followed(self) -> bool:
        return not any(note.startswith(NOT_FOLLOWED) for note in self.notes)


def steps(text: str) -> list[Step]:
    """Return all blocks of commands of a page. Raises `GuideError`."""
    found: list[Step] = []
    section, notes = "", list[str]()
    parts = re.compile(
        r"^#+ (?P<heading>[^\n]+)$|^<!-- (?P<note>[^\n]+) -->$|^```(?P<kind>\w*)\n(?P<code>.*?)^```$",
        re.MULTILINE | re.DOTALL,
    )
    for part in parts.finditer(text):
        if part["heading"]:
            section = part["heading"]
        elif part["note"]:
            if part["note"] not in NOTES and not part["note"].startswith(NOT_FOLLOWED):
                raise GuideError(f"{section}: nobody knows what to do for: {part['note']}")
            notes.append(part["note"])
        elif part["kind"] == "sh":
            found.append(Step(section, part["code"], tuple(notes)))
            notes.clear()
        else:
            raise GuideError(f"{section}: a block is marked as {part['kind'] or 'nothing'}, and not as sh")
    if notes:
        raise GuideError(f"{section}: no block follows on: {notes[0]}")
    return found
