"""Bring what a worker writes to its standard error into the log.

A worker may have been taken over by a picture: so its lines are escaped, cut, and only so many of them taken.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import IO

log = logging.getLogger(__name__)

LINE_BYTES = 2000
"""Of a longer line each piece of this size is one."""
LINES = 200
"""Lines taken in `SECONDS`. A traceback has some dozens."""
SECONDS = 60.0
PAUSE = 0.01
"""Seconds between two reads of what is left out: a worker that writes without end takes little of the bot."""


class WorkerOutput:
    """Reads the standard error of one worker on a thread of its own, until the worker is gone."""

    def __init__(self, stream: IO[bytes], pid: int) -> None:
        self._stream = stream
        self._pid = pid
        self._begun = time.perf_counter()
        self._taken = 0
        self._left_out = 0
        self._thread = threading.Thread(target=self._read, name="worker-output", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until all that a dead worker has written is in the log, but no longer than so many seconds."""
        self._thread.join(seconds)

    def _read(self) -> None:
        with open(self._stream.fileno(), "rb", closefd=False) as lines:
            while line := lines.readline(LINE_BYTES):
                self._take(line)
        self._tell_left_out()
        self._stream.close()

    def _take(self, line: bytes) -> None:
        now = time.perf_counter()
        if now - self._begun >= SECONDS:
            self._tell_left_out()
            self._begun, self._taken = now, 0
        if self._taken < LINES:
            self._taken += 1
            log.warning("The worker says: %s", _escaped(line), extra={"pid": self._pid})
        else:
            self._left_out += len(line)
            time.sleep(PAUSE)

    def _tell_left_out(self) -> None:
        if self._left_out:
            log.warning(
                "The worker said more, %d bytes, which is left out.", self._left_out, extra={"pid": self._pid}
            )
            self._left_out = 0


def _escaped(line: bytes) -> str:
    """Return the line as printable text: neither a control character nor a byte that is no UTF-8 is in it."""
    text = line.rstrip(b"\r\n").decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
