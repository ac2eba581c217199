"""A system that is measured, in a process of its own: start it, have it do something, end it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import multiprocessing
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from inference.bench.measuring import MeasuredSystem

ANSWER_SECONDS = 900.0
"""For one call. The longest, 10,000 images, took 60 s; a first start may take a minute."""

LEAVE_SECONDS = 20.0


class MeasurementFailed(Exception):
    """A measured system could not start or failed at what it was asked; the message is the system's own."""


class MeasuredProcess(contextlib.AbstractContextManager["MeasuredProcess"]):
    """One measured system in its own process; `ask` calls one of its methods there.

    `system` is "module:class", and `options` are the class's arguments. `opened` is what the system said when
    it had started. Raises MeasurementFailed where it cannot start.
    """

    def __init__(self, system: str, **options: Any) -> None:
        self._system = system
        spawn = multiprocessing.get_context("spawn")  # so that it has only what it imports itself in memory
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_run, args=(theirs, system, options))
        self._process.start()
        theirs.close()
        try:
            self.opened = self._answer()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, method: str, **arguments: Any) -> Any:
        """Call the system's `method` and return its result.

        Raises MeasurementFailed, with the reason, where the method raised or the process died.
        """
        with contextlib.suppress(BrokenPipeError):  # then there is an answer, or an end, to read
            self._pipe.send((method, arguments))
        return self._answer()

    def close(self) -> None:
        """Let the process leave, and kill it where it does not."""
        self._pipe.close()
        self._process.join(LEAVE_SECONDS)
        self._process.kill()
        self._process.join()

    def _answer(self) -> Any:
        if not self._pipe.poll(ANSWER_SECONDS):
            raise MeasurementFailed(f"{self._system} gave no answer within {ANSWER_SECONDS:.0f} s")
        try:
            result, failure = self._pipe.recv()
        except EOFError:
            self._process.join()
            raise MeasurementFailed(
                f"{self._system} ended without an answer, with status {self._process.exitcode}"
            ) from None
        if failure:
            raise MeasurementFailed(failure)
        return result


def _run(pipe: Connection, system: str, options: dict[str, Any]) -> None:
    """Be the measured process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the benchmark, which closes the pipe
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    module, _, name = system.partition(":")
    try:
        made: MeasuredSystem = getattr(importlib.import_module(module), name)(**options)
        asyncio.run(_serve(made, pipe))
    except Exception as error:  # noqa: BLE001 - the benchmark is told
        with contextlib.suppress(BrokenPipeError):  # it may be gone
            pipe.send((None, f"{type(error).__name__}: {error}"))


async def _serve(system: MeasuredSystem, pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    reader = ThreadPoolExecutor(max_workers=1)  # of its own: the default pool is the usual bot's
    try:
        pipe.send((await system.open(), None))
        with contextlib.suppress(EOFError):  # the benchmark has closed the pipe, or is gone
            while True:
                method, arguments = await loop.run_in_executor(reader, pipe.recv)
                try:
                    pipe.send((await getattr(system, method)(**arguments), None))
                except Exception as error:  # noqa: BLE001 - the benchmark is told, and may ask for more
                    pipe.send((None, f"{type(error).__name__}: {error}"))
    finally:
        await system.close()
        reader.shutdown()
