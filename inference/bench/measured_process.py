"""A system that is measured, in a process of its own: start it, have it do something, end it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import threading
from typing import IO, Any, cast

from inference.subprocesses import module_command, own_environment

__all__ = ["MeasuredProcess", "MeasurementFailed"]

ANSWER_SECONDS = 900.0
"""For one order. The longest, 10,000 images, took 60 s; a first start may take a minute."""

LEAVE_SECONDS = 20.0


class MeasurementFailed(Exception):
    """A measured system could not start or failed at what it was asked; the message is the system's own."""


class MeasuredProcess(contextlib.AbstractContextManager["MeasuredProcess"]):
    """One measured system in its own process; `ask` calls one of its methods there.

    `system` is "module:class", and `options` are the class's arguments, ready for JSON. `opened` is what the
    system said when it had started. Raises MeasurementFailed where it cannot start.
    """

    def __init__(self, system: str, **options: Any) -> None:
        self._system = system
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(  # noqa: S603 - this very interpreter, our own module
            module_command("inference.bench.measured_child", system, json.dumps(options)),
            env=own_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,  # an interrupt is for the benchmark, which then ends what it started
        )
        self._orders = cast("IO[str]", self._process.stdin)
        self._answers = cast("IO[str]", self._process.stdout)
        try:
            self.opened = self._answer()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, method: str, **arguments: Any) -> Any:
        """Call the system's `method` and return its result, as JSON.

        Raises MeasurementFailed, with the reason, where the method raised or the process died.
        """
        with contextlib.suppress(BrokenPipeError):  # then there is an answer, or an end, to read
            self._orders.write(json.dumps({"method": method, "arguments": arguments}) + "\n")
            self._orders.flush()
        return self._answer()

    def close(self) -> None:
        """Ask the process to leave, and kill it where it does not."""
        with contextlib.suppress(BrokenPipeError):
            self._orders.close()
        try:
            self._process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()
        self._errors.close()

    def _answer(self) -> Any:
        watchdog = threading.Timer(ANSWER_SECONDS, self._process.kill)
        watchdog.start()
        try:
            line = self._answers.readline()
        finally:
            watchdog.cancel()
        if not line:
            self._errors.seek(0)
            last = self._errors.read().strip().rpartition("\n")[2]
            raise MeasurementFailed(f"{self._system} ended without an answer. Its last line: {last}")
        answer = json.loads(line)
        if "failed" in answer:
            raise MeasurementFailed(answer["failed"])
        return answer["result"]
