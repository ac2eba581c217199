"""What a worker that was taken over tries: the "model" of these tests, loaded by the real worker program.

A picture of the colour (red, green, 255) makes the model do deed number `green`; any other is class `red`.
What a deed ends with is the class of the answer: 0 if it succeeded, else the number of its error. The
supervisor's own seam, the name of the function that loads the model, brings this into the worker.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import signal
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from config import settings
from inference.models.engines import Prediction
from inference.results import ModelCaveat
from inference.sandbox.kernel import prctl, syscall
from tests.inference.fakes import CLASSES, SIDE, Report

__all__ = ["DEEDS", "KILLED", "LABELS", "NONSENSE", "REFUSED", "TRUTH", "Targets", "load"]

LABELS = ("it succeeded", *(f"refused: {os.strerror(number)}" for number in range(1, CLASSES)))
TIOCSTI = 0x5412
PTRACE_ATTACH = 16


class Targets(TypedDict):
    """What there is to steal and to reach, handed over as the model's name in JSON."""

    bot: int
    token_file: str
    store: str
    home: str
    tcp: int
    udp: int
    unix: str
    abstract: str


def _tell(kind: int, address: tuple[str, int] | str, family: int = socket.AF_INET) -> None:
    with socket.socket(family, kind) as talk:
        talk.connect(address)
        talk.send(b"the secret")


def _read(path: str | Path) -> None:
    with Path(path).open("rb") as file:
        file.read(1)


def _append(path: str) -> None:
    with Path(path).open("ab") as file:
        file.write(b"x")


def _numbered(x86_64: int, aarch64: int) -> int:
    return x86_64 if os.uname().machine == "x86_64" else aarch64


def _fork() -> None:
    if os.fork() == 0:
        time.sleep(1000)


REFUSED: dict[str, Callable[[Targets], object]] = {
    "read the token's file": lambda to: _read(to["token_file"]),
    "read the bot's environment": lambda to: _read(f"/proc/{to['bot']}/environ"),
    "read the bot's memory": lambda to: _read(f"/proc/{to['bot']}/mem"),
    "read the store": lambda to: _read(to["store"]),
    "see whether the store exists": lambda to: os.stat(to["store"]),  # noqa: PTH116 - the bare call
    "list the home folder": lambda to: os.listdir(to["home"]),  # noqa: PTH208 - likewise
    "type into the terminal": lambda _: fcntl.ioctl(2, TIOCSTI, b"!"),
    "become readable to others": lambda _: prctl(4, 1),
    "raise its own limits": lambda _: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
    "make a file in memory, to run it": lambda _: os.memfd_create("program"),
}
"""What libraries try too, and is refused with an error."""

KILLED: dict[str, Callable[[Targets], object]] = {
    "write to the store": lambda to: _append(to["store"]),
    "write beside the token": lambda to: _append(to["token_file"] + ".new"),
    "remove the store": lambda to: os.unlink(to["store"]),  # noqa: PTH108 - likewise
    "connect over TCP": lambda to: _tell(socket.SOCK_STREAM, ("127.0.0.1", to["tcp"])),
    "send over UDP": lambda to: _tell(socket.SOCK_DGRAM, ("127.0.0.1", to["udp"])),
    "connect to a Unix socket": lambda to: _tell(socket.SOCK_STREAM, to["unix"], socket.AF_UNIX),
    "connect to an abstract socket": lambda to: _tell(
        socket.SOCK_STREAM, "\0" + to["abstract"], socket.AF_UNIX
    ),
    "start a program": lambda _: os.execv("/bin/true", ["true"]),  # noqa: S606 - the bare call
    "fork": lambda _: _fork(),
    "leave its session, to outlive the bot": lambda _: os.setsid(),
    "signal the bot": lambda to: os.kill(to["bot"], signal.SIGCONT),
    "trace the bot": lambda to: syscall(_numbered(101, 117), PTRACE_ATTACH, to["bot"], 0, 0),
    "read the bot's memory by a call": lambda to: syscall(
        _numbered(310, 270), to["bot"], ctypes.c_char_p(b""), 0, ctypes.c_char_p(b""), 0, 0
    ),
    "open an io_uring": lambda _: syscall(425, 1, ctypes.create_string_buffer(120)),
}
"""What no library tries: the kernel ends the worker."""


def _say(body: bytes, claimed: int | None = None) -> None:
    """Write one frame to whatever this process has open for writing, and wait to be ended."""
    data = struct.pack(">I", len(body) if claimed is None else claimed) + body
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(number, data)
    time.sleep(1000)


def _done(*replies: dict[str, object]) -> bytes:
    """What a thread of the worker says when it has looked at pictures."""
    return json.dumps({"kind": "done", "replies": replies}).encode()


def _answer(look: int, times: int = 1, **changes: object) -> bytes:
    """A believable answer, but for `changes`, said `times` times."""
    answer: dict[str, object] = {
        "kind": "answered",
        "id": look,
        "labels": [[LABELS[7], 7, 0.5, None]],
        "size": [40, 40],
        "views": 1,
        "decode_ms": 1.0,
        "predict_ms": 1.0,
        "core_seconds": 0.1,
    }
    return _done(*[answer | changes] * times)


def _refusal(look: int, **changes: object) -> bytes:
    """A believable refusal, but for `changes`."""
    refusal: dict[str, object] = {
        "kind": "refused",
        "id": look,
        "code": "corrupt_image",
        "message": "",
        "core_seconds": 0.1,
    }
    return _done(refusal | changes)


NONSENSE: dict[str, Callable[[int], object]] = {
    "a frame of 4 GiB": lambda _: _say(b"[", 0xFFFFFFFF),
    "a million brackets": lambda _: _say(b"[" * 1_000_000),
    "no JSON": lambda _: _say(b"\xff\xfe nonsense"),
    "an answer to another picture": lambda look: _say(_answer(look + 1)),
    "two answers to one picture": lambda look: _say(_answer(look, times=2)),
    "a label that mentions everybody": lambda look: _say(_answer(look, labels=[["@everyone", 7, 0.5, None]])),
    "a label in Markdown": lambda look: _say(
        _answer(look, labels=[["[free](https://evil.example)", 7, 0.5, None]])
    ),
    "the name of another class": lambda look: _say(_answer(look, labels=[[LABELS[8], 7, 0.5, None]])),
    "an everyday name of its own": lambda look: _say(_answer(look, coarse=[["@here", 0.5, 1]])),
    "a class that there is not": lambda look: _say(_answer(look, labels=[["x", 1 << 40, 0.5, None]])),
    "a probability of NaN": lambda look: _say(_answer(look, labels=[[LABELS[7], 7, float("nan"), None]])),
    "a probability of 1e308": lambda look: _say(_answer(look, labels=[[LABELS[7], 7, 1e308, None]])),
    "a probability below 0": lambda look: _say(_answer(look, labels=[[LABELS[7], 7, -0.5, None]])),
    "an endless duration": lambda look: _say(_answer(look, decode_ms=float("inf"))),
    "1e308 core-seconds, for its sender to pay": lambda look: _say(_answer(look, core_seconds=1e308)),
    "a day of processor time": lambda look: _say(_answer(look, core_seconds=86_400)),
    "a picture of 2**63 pixels": lambda look: _say(_answer(look, size=[1 << 63, 1])),
    "ten thousand views": lambda look: _say(_answer(look, views=10_000)),
    "a field that there is not": lambda look: _say(_answer(look, token="")),
    "an error of another kind": lambda look: _say(_refusal(look, code="busy")),
    "a message of a megabyte": lambda look: _say(_refusal(look, message="x" * 1_000_000)),
}
"""What is said over the pipe in the name of picture number `look`."""

TRUTH: dict[str, Callable[[int], object]] = {
    "an answer as it should be": lambda look: _say(_answer(look)),
    "a refusal as it should be": lambda look: _say(_refusal(look)),
}
"""What differs from the nonsense only by being possible."""

DEEDS = (*REFUSED, *KILLED, *NONSENSE, *TRUTH)


class TakenOverEngine:
    name = "taken over"
    precision = "f32"
    head = None

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    def predict(self, batch: NDArray[np.uint8], *, maps: bool = False) -> Prediction:
        logits = np.zeros((len(batch), CLASSES), np.float32)
        for row, crop in zip(logits, batch, strict=True):
            red, green, blue = (int(value) for value in crop[len(crop) // 2, len(crop) // 2])
            row[self._do(DEEDS[green], red) if blue == 255 else red] = 20
        return Prediction(logits)

    def _do(self, deed: str, look: int) -> int:
        try:
            if deed in NONSENSE or deed in TRUTH:
                {**NONSENSE, **TRUTH}[deed](look)
            else:
                {**REFUSED, **KILLED}[deed](self._targets)
        except OSError as error:
            return error.errno or CLASSES - 1
        except ValueError:  # Python's word for EPERM from setrlimit
            return 1
        return 0


@dataclass
class TakenOverModel:
    engine: TakenOverEngine
    name: str = "taken over"
    content_hash: str = "0" * 64
    input_size: int = SIDE
    labels: tuple[str, ...] = LABELS
    temperature: float = 1.0
    note: str | None = None
    caveats: tuple[ModelCaveat, ...] = ()


def load(model: settings.Model, *, report: Report) -> TakenOverModel:
    """Load the model; `model.name` is `Targets` in JSON."""
    report("loading", None)
    return TakenOverModel(TakenOverEngine(json.loads(model.name)))
