"""`python -m inference JOB SETTINGS [NAME]`: what the `whatsit` command has done outside the bot's process.

SETTINGS is all of `config.settings.Settings` as JSON. Each job prints one JSON object a line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from config.settings import Settings
from inference import catalogue

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Do the job that the first argument names; 0 if it was done."""
    job, settings, *names = arguments
    return JOBS[job](Settings.model_validate_json(settings), *names)


def _models(settings: Settings) -> int:
    """The catalogue, and what of it is on this machine."""
    for row in catalogue.describe(settings.model):
        entry = row.entry
        _say(
            name=entry.name,
            source=entry.source,
            input_size=entry.input_size,
            classes=entry.classes,
            licence=entry.licence,
            summary=entry.summary,
            cached=str(row.cached) if row.cached else None,
            bytes=row.size,
        )
    return 0


def _say(**words: object) -> None:
    print(json.dumps(words), flush=True)


JOBS: dict[str, Callable[..., int]] = {"models": _models}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
