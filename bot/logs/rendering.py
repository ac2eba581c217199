"""Render a line of the log: as text for people or as JSON for programs.

Records of the standard library's logging are rendered by structlog, so discord.py's look like our own.
Whatever they hold, no line can play tricks on a terminal; what none may show is `bot.log_privacy`'s.
"""

from __future__ import annotations

import datetime
import textwrap

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from config.settings import Log


def formatter(wanted: Log, *, is_terminal: bool) -> structlog.stdlib.ProcessorFormatter:
    """Return what makes lines of the standard library's records."""
    is_json = wanted.format == "json"
    before: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _dated_for_programs if is_json else _dated_for_people,
        structlog.processors.format_exc_info,
        harmless,
    ]
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if is_json:
        last.append(structlog.processors.JSONRenderer(ensure_ascii=False))
    else:
        console = structlog.dev.ConsoleRenderer(
            colors=is_terminal,
            pad_event_to=0,
            sort_keys=False,
            exception_formatter=structlog.dev.plain_traceback,  # others show what the variables hold
        )
        last += [_indented, console]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=last)


def _dated_for_people(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    made = datetime.datetime.fromtimestamp(event["_record"].created, datetime.UTC).astimezone()
    event["timestamp"] = made.strftime("%Y-%m-%d %H:%M:%S")
    return event


def _dated_for_programs(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    made = datetime.datetime.fromtimestamp(event["_record"].created, datetime.UTC)
    event["timestamp"] = made.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def harmless(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Write whatever would move the cursor, ring or hide others as an escape."""
    for key, value in event.items():
        if not isinstance(value, str):
            if value is None or isinstance(value, (bool, int, float)) or key.startswith("_"):
                continue
            value = str(value)  # noqa: PLW2901 - a library's object, whose text may be anything
        lines = value.split("\n") if key == "exception" else [value]
        event[key] = "\n".join(_printable(line) for line in lines)
    return event


def _indented(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Indent a traceback, so that what an error says cannot look like a line of its own."""
    if "exception" in event:
        event["exception"] = textwrap.indent(event["exception"], "  ")
    return event


def _printable(text: str) -> str:
    """Return `text` with each character that would move the cursor, ring or hide others as an escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
