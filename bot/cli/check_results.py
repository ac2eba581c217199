"""What a check of `whatsit doctor` found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad it is, in the word that is printed; only `FAIL` keeps the bot from running."""

    OK = "ok"
    NOTE = "note"
    FAIL = "FAIL"


@dataclass(frozen=True)
class CheckResult:
    """One sentence on how something is, and another on what to do about it."""

    level: Level
    what: str
    remedy: str = ""
