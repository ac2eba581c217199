"""Decide how long after it was wanted an answer may still come."""

from __future__ import annotations

import datetime

from config.settings import Watch


def answer_deadline(wanted_at: datetime.datetime, watch: Watch, *, missed: bool = False) -> datetime.datetime:
    """Return the moment after which an answer would be late.

    What was `missed` while the bot was away has the time of catching up besides.
    """
    seconds = watch.late_after + (watch.catch_up if missed else 0.0)
    return wanted_at + datetime.timedelta(seconds=seconds)
