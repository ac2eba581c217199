"""Write the log to standard error, without ever making the bot wait for whoever reads it."""

from __future__ import annotations

import copy
import logging
import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from bot.log_privacy import OURS, LogPrivacyFilter
from bot.logs.rendering import formatter
from config.settings import Log

TALKATIVE = ("alembic",)
"""Libraries that tell at `info` about their own insides."""
WAITING = 10_000
"""Records that wait to be written; what comes beyond is left out, and counted."""
LAST_WORDS = 2.0
"""Seconds that the last records may take at the end, if nobody reads them."""


@contextmanager
def written_log(wanted: Log, stream: TextIO | None = None) -> Iterator[None]:
    """Write this process's records to `stream` (standard error) while the block lasts."""
    stream = sys.stderr if stream is None else stream
    writer = logging.StreamHandler(stream)
    writer.setFormatter(formatter(wanted, is_terminal=stream.isatty()))
    handler = BackgroundHandler(writer)
    handler.addFilter(LogPrivacyFilter())
    level = logging.getLevelNamesMapping()[wanted.level.upper()]
    levels = {
        "": max(level, logging.INFO),
        **dict.fromkeys(OURS, level),
        **dict.fromkeys(TALKATIVE, max(level, logging.WARNING)),
    }
    loggers = {name: logging.getLogger(name) for name in levels}
    before = {name: logger.level for name, logger in loggers.items()}
    for name, logger in loggers.items():
        logger.setLevel(levels[name])
    loggers[""].addHandler(handler)
    try:
        yield
    finally:
        loggers[""].removeHandler(handler)
        handler.close()
        for name, logger in loggers.items():
            logger.setLevel(before[name])


class BackgroundHandler(logging.Handler):
    """Passes records on to `writer` on a thread of its own: whoever writes to a pipe waits for its reader."""

    def __init__(self, writer: logging.Handler) -> None:
        super().__init__()
        self._writer = writer
        self._records: queue.Queue[logging.LogRecord | None] = queue.Queue(WAITING)
        self._left_out = 0
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Have a record written soon, or leave it out where too many wait."""
        record = copy.copy(record)
        vars(record).pop("message", None)  # a formatter of somebody else's may have left it, as it was before
        try:
            self._records.put_nowait(record)
        except queue.Full:
            self._left_out += 1

    def close(self) -> None:
        """Write what waits, but for `LAST_WORDS` at most."""
        super().close()
        try:
            self._records.put(None, timeout=LAST_WORDS)
        except queue.Full:
            return
        self._thread.join(LAST_WORDS)

    def _write(self) -> None:
        while (record := self._records.get()) is not None:
            self._writer.handle(record)
            if self._left_out:
                missing, self._left_out = self._left_out, 0
                self._writer.handle(_left_out(missing))


def _left_out(lines: int) -> logging.LogRecord:
    text = "Lines of the log were left out, because they were not read fast enough: %d."
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, (lines,), None)
