"""Starts the systems that are measured, each in a process of its own, and speaks with them."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from inference.bench.photographs import ASPECTS, SOURCES, Kind, make

__all__ = ["Failed", "Running", "Stage"]

ROOT = Path(__file__).resolve().parent.parent.parent

PATIENCE = 900.0
"""Seconds for one order. The longest, 10,000 images, took 60; a first start may take a minute."""

GOODBYE = 20.0
"""Seconds to leave in."""


class Failed(Exception):
    """A measured system could not start, or failed at what it was asked; the message is its own."""


class Running:
    """One system in its own process: `ask` has it carry out one of its methods (see `child`)."""

    def __init__(self, name: str, **options: Any) -> None:
        self._name = name
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(  # noqa: S603  # this very interpreter, our own module
            [sys.executable, "-m", "inference.bench.child", name, json.dumps(options)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            start_new_session=True,  # an interrupt is for the run, which then ends what it started
        )
        self._orders = cast("IO[str]", self._process.stdin)
        self._answers = cast("IO[str]", self._process.stdout)
        try:
            self.opened = self._answer()
        except BaseException:
            self.close()
            raise

    def ask(self, do: str, **arguments: Any) -> Any:
        """What the method answers. Raises Failed, with the reason, where it raised or its process died."""
        with contextlib.suppress(BrokenPipeError):  # then there is an answer, or an end, to read
            self._orders.write(json.dumps({"do": do, **arguments}) + "\n")
            self._orders.flush()
        return self._answer()

    def close(self) -> None:
        """Let it leave; end it where it does not."""
        with contextlib.suppress(BrokenPipeError):
            self._orders.close()
        try:
            self._process.wait(GOODBYE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()
        self._complaints.close()

    def _answer(self) -> Any:
        watchdog = threading.Timer(PATIENCE, self._process.kill)
        watchdog.start()
        try:
            line = self._answers.readline()
        finally:
            watchdog.cancel()
        if not line:
            self._complaints.seek(0)
            last = self._complaints.read().strip().rpartition("\n")[2]
            raise Failed(f"{self._name} ended without an answer. Its last words: {last or '(none)'}")
        answer = json.loads(line)
        if isinstance(answer, dict) and "failed" in answer:
            raise Failed(answer["failed"])
        return answer


class Stage:
    """What all rows share: running systems, pictures on disk, and the next number that nobody has used."""

    def __init__(self, folder: Path, *, photographs: int = len(SOURCES)) -> None:
        self._folder = folder
        self._photographs = photographs
        self._running: dict[str, Running] = {}
        self._pictures: dict[Kind, list[str]] = {}
        self._next = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def running(self, name: str, **options: Any) -> Running:
        """The system with these options: the one that runs already, or a new one."""
        key = json.dumps([name, options], sort_keys=True)
        if key not in self._running:
            self._running[key] = Running(name, **options)
        return self._running[key]

    @contextlib.contextmanager
    def fresh(self, name: str, **options: Any) -> Iterator[Running]:
        """A system that nobody has used, for this block only."""
        one = Running(name, **options)
        try:
            yield one
        finally:
            one.close()

    def clear(self) -> None:
        """End every system that `running` started."""
        while self._running:
            self._running.popitem()[1].close()

    def pictures(self, kind: Kind, *, count: int | None = None) -> list[str]:
        """The files of one sort of picture, or `count` of them; made when first asked for."""
        needed = self._photographs if count is None else min(-(-count // len(ASPECTS)), self._photographs)
        if len(self._pictures.get(kind, ())) < needed * len(ASPECTS):
            self._pictures[kind] = [str(file) for file in make(kind, self._folder, photographs=needed)]
        return self._pictures[kind][:count]

    def numbers(self, count: int) -> int:
        """The first of `count` numbers for `stamp` that no other measurement has."""
        start = self._next
        self._next += count
        return start
