"""A process that decodes what it is given and may die of it; the test that feeds it lives on and says what
did it."""

from __future__ import annotations

import multiprocessing
import os
import resource
import traceback
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from config.settings import Limits
from inference.results import CorruptImage, ImageTooLarge, NotAnImage, UnsupportedFormat

__all__ = ["Victim"]

DEADLINE = 10.0
"""Seconds for one small file; a hang, not slowness, is what this finds."""
MEMORY = 700 * 1024 * 1024
"""Bytes the process may ever have had resident; it has about 100 MiB before the first file."""
PIXELS = 4_000_000
_OURS = ("inference/images/decode.py", "inference/images/colour.py", "inference/images/views.py")


class Victim:
    """`decode(data)` returns None where all is well, or says what is wrong."""

    def __init__(self) -> None:
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._end()

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_decode_for_ever, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        if not self._pipe.poll(120):
            raise RuntimeError("the victim did not start")
        self._pipe.recv()

    def _end(self) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()

    def decode(self, data: bytes) -> str | None:
        try:
            self._pipe.send_bytes(data)
            if self._pipe.poll(DEADLINE):
                found: str | None = self._pipe.recv()
                return found
            wrong = f"no answer within {DEADLINE} s"
        except (EOFError, OSError):
            self._process.join()
            wrong = f"the process died with exit code {self._process.exitcode}"
        self._end()
        self._start()
        return wrong


def _decode_for_ever(pipe: Connection) -> None:
    warnings.simplefilter("error")  # before the import: what the module itself silences stays silent
    from inference.images.decode import decode  # noqa: PLC0415

    limits = Limits(image_pixels=PIXELS, animation_pixels=PIXELS)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)  # libtiff writes there from C
    pipe.send("ready")
    while True:
        try:
            data = pipe.recv_bytes()
        except EOFError:
            return
        wrong = None
        try:
            decoded = decode(data, input_size=64, views="auto", limits=limits)
            second = decoded.second()
            if decoded.first.shape[1:] != (64, 64, 3) or second.shape[1:] != (64, 64, 3):
                wrong = f"crops of shape {decoded.first.shape} and {second.shape}"
        except (NotAnImage, UnsupportedFormat, ImageTooLarge, CorruptImage) as error:
            if error.__cause__ is not None and _is_ours(error.__cause__):
                wrong = "".join(traceback.format_exception(error.__cause__))
        except BaseException:  # noqa: BLE001 - whatever it is, it is what this looks for
            wrong = traceback.format_exc()
        if wrong is None and (most := _most_resident()) > MEMORY:
            wrong = f"{most:,} bytes resident"
        pipe.send(wrong)


def _most_resident() -> int:
    """Bytes this process had resident at its peak. Linux hands `ru_maxrss` down from whoever started it,
    and a test runner may be large; what /proc says is its own."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(
            line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM")
        )
        return int(peak.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _is_ours(error: BaseException) -> bool:
    """Did our own code, rather than a decoder, raise it? Then a bug would hide behind "damaged"."""
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    return any(Path(last).as_posix().endswith(name) for name in _OURS)
