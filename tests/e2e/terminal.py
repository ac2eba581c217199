"""A terminal with the `whatsit` command in it."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
from types import TracebackType
from typing import Self

from tests.e2e.command import ROOT, WHATSIT, environment

__all__ = ["Terminal"]

END_OF_INPUT = "\x04"


class Terminal:
    """`whatsit` as somebody at a terminal runs it: what it shows, and what is typed."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        self._ours, theirs = os.openpty()
        self._process = subprocess.Popen(
            [*WHATSIT, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment(**{"TERM": "dumb"} | variables),
            cwd=ROOT,
            start_new_session=True,
        )
        os.close(theirs)
        self._shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def wait_for(self, pattern: str, *, within: float = 100.0) -> re.Match[str]:
        """The first match in what has been shown since the last one."""
        until = time.monotonic() + within
        while (match := re.search(pattern, self._shown)) is None:
            ready, _, _ = select.select([self._ours], [], [], max(0.0, until - time.monotonic()))
            more = self._read() if ready else ""
            assert more, f"{pattern!r} did not come; what did: {self._shown!r}"
            self._shown += more
        self._shown = self._shown[match.end() :]
        return match

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{text}\n".encode())

    def end(self) -> int:
        """Press Ctrl-D and wait; the exit code."""
        os.write(self._ours, END_OF_INPUT.encode())
        return self._ended()

    def interrupt(self) -> int:
        """Press Ctrl-C, which the terminal sends to everything in it, and wait; the exit code."""
        os.killpg(self._process.pid, signal.SIGINT)
        return self._ended()

    def _ended(self) -> int:
        while self._read():
            pass
        return self._process.wait(timeout=60)

    def _read(self) -> str:
        try:
            return os.read(self._ours, 65536).decode(errors="replace").replace("\r", "")
        except OSError:  # EIO: the other side has closed
            return ""
