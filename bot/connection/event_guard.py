"""Pass over an event that discord.py cannot parse, so that it costs no more than itself."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

log = logging.getLogger(__name__)

READY = "READY"
"""Without it there is no session: when it cannot be parsed, a new one has to be begun."""

Parser = Callable[[Any], None]


@dataclass(slots=True)
class EventCounts:
    """How many events have come, and how many of each type could not be parsed."""

    all: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)


def guard_parsers(parsers: dict[str, Parser]) -> EventCounts:
    """Make each of discord.py's parsers, by the type of its event, log what it raises instead of raising it.

    Discord, and servers like it, change their events; discord.py lets what its parsers raise end its loop.
    Returns what goes on counting.
    """
    counts = EventCounts()
    for event, parse in parsers.items():
        if event != READY:
            parsers[event] = partial(_parse, event, parse, counts)
    return counts


def _parse(event: str, parse: Parser, counts: EventCounts, data: Any) -> None:
    counts.all += 1
    try:
        parse(data)
    except Exception as error:  # noqa: BLE001 - whatever an odd event makes of discord.py
        counts.passed_over[event] += 1
        place = traceback.extract_tb(error.__traceback__)[-1]
        # Not the error's own text: it may repeat what people write.
        log.warning(
            "An event %s cannot be parsed and is passed over (%d since the start): %s in %s, line %d. "
            "Its keys: %s.",
            event,
            counts.passed_over[event],
            type(error).__name__,
            place.filename,
            place.lineno or 0,
            ", ".join(map(str, data)) if isinstance(data, dict) else f"none, it is a {type(data).__name__}",
        )
