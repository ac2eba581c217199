"""Write the log to standard error: a line an event, as text for people or as JSON for programs.

Records of the standard library's logging are rendered by structlog, so discord.py's look like our own.
Whatever they hold, no line can play tricks on a terminal; what none may show is `bot.log_privacy`'s.
"""

from __future__ import annotations

import logging
import sys
import textwrap
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.log_privacy import OURS, LogPrivacyFilter
from config.settings import Log

TALKATIVE = ("alembic",)
"""Libraries that tell at `info` about their own insides."""


def set_up(wanted: Log, stream: TextIO | None = None) -> None:
    """Make all of this process's records go to `stream` (standard error) as the settings say."""
    stream = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(stream)
    handler.addFilter(LogPrivacyFilter())
    handler.setFormatter(_formatter(wanted, is_terminal=stream.isatty()))
    level = logging.getLevelNamesMapping()[wanted.level.upper()]
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.INFO))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _formatter(wanted: Log, *, is_terminal: bool) -> structlog.stdlib.ProcessorFormatter:
    is_json = wanted.format == "json"
    timestamp = "iso" if is_json else "%Y-%m-%d %H:%M:%S"
    before: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(timestamp, utc=is_json),
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
