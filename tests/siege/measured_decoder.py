"""A process that decodes files as the worker does, and says what each cost it."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from multiprocessing.connection import Connection
from types import TracebackType
from typing import NamedTuple, Self

__all__ = ["DecodeCost", "MeasuredDecoder"]

_INPUT_SIZE = 224
_MEMORY = 4 * 1024**3


class DecodeCost(NamedTuple):
    """What one file cost.

    `core_ms`: CPU time of all threads, in milliseconds. `estimate`: what the header promised, in the same
    unit, None where the header was refused. `refused`: the error's code and message, None where the file was
    decoded.
    """

    core_ms: float
    estimate: float | None
    refused: str | None


class MeasuredDecoder:
    """Decodes in a child process, which is replaced when it dies or needs more than `deadline` seconds."""

    def __init__(self, deadline: float = 20.0) -> None:
        self.deadline = deadline
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._end()

    @property
    def pid(self) -> int:
        """The process id of the child that decodes."""
        assert self._process.pid is not None
        return self._process.pid

    def cost(self, data: bytes) -> DecodeCost:
        """Decode `data`. What the deadline or a crash ended counts as the whole deadline."""
        try:
            self._pipe.send_bytes(data)
            if self._pipe.poll(self.deadline):
                return DecodeCost(*self._pipe.recv())
            refused = f"no answer within {self.deadline} s"
        except (EOFError, OSError):
            self._process.join()
            refused = f"the process died with exit code {self._process.exitcode}"
        self._end()
        self._start()
        return DecodeCost(1000 * self.deadline, None, refused)

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_decode_for_ever, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        if not self._pipe.poll(120):
            raise RuntimeError("the decoder's process did not start")
        self._pipe.recv()

    def _end(self) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()


def _decode_for_ever(pipe: Connection) -> None:
    from config.settings import Limits  # noqa: PLC0415 - NumPy and the codecs are for the child alone
    from inference.images.decode import decode  # noqa: PLC0415
    from inference.images.headers import header  # noqa: PLC0415
    from inference.results import InferenceError  # noqa: PLC0415

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)  # libtiff writes there from C
    limits = Limits()
    pipe.send("ready")
    while True:
        try:
            data = pipe.recv_bytes()
        except EOFError:
            return
        estimate = refused = None
        started = time.process_time()
        try:
            found = header(data, limits=limits, input_size=_INPUT_SIZE)
            estimate = found.core_ms
            decode(data, input_size=_INPUT_SIZE, views="auto", limits=limits, found=found).second()
        except InferenceError as error:
            refused = f"{error.code}: {error}"
        pipe.send((1000 * (time.process_time() - started), estimate, refused))
