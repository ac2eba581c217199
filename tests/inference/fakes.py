"""A model without weights, for tests of all that is around it: it reads its answer off the picture.

A picture of one colour (red, green, blue) is class number `red` of 256. Where blue is 255, green says what
the worker does when it predicts the picture: see `Deed`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from config import settings
from inference.images.decode import DecodedImage
from inference.images.headers import ImageHeader
from inference.models.engines import Prediction
from inference.results import ModelCaveat, ModelUnavailable
from inference.serving import batch_processor
from inference.serving.client import Classifier

CLASSES = 256
SIDE = 32


class Deed(IntEnum):
    """What a picture makes its worker do."""

    CRASH = 10
    HANG = 20
    HANG_WITH_GIL = 30
    BLOAT = 40
    KILL = 50
    SLOW = 60
    UNSURE = 70
    PRINT = 80
    NONSENSE = 90
    HOARD = 100


class FakeEngine:
    name = "fake"
    precision = "f32"
    head = None

    def predict(self, batch: NDArray[np.uint8], *, maps: bool = False) -> Prediction:
        logits = np.zeros((len(batch), CLASSES), np.float32)
        for row, crop in zip(logits, batch, strict=True):
            red, green, blue = (int(value) for value in crop[len(crop) // 2, len(crop) // 2])
            row[red] = 20
            if blue == 255:
                if green == Deed.UNSURE:
                    row[red] = 6
                else:
                    DEEDS[Deed(green)]()
        return Prediction(logits)


def _bloat() -> None:
    hoard = []
    while True:
        hoard.append(np.ones(2 << 20, np.float64))  # 16 MiB, every page of it touched
        time.sleep(0.002)


def _hang_with_gil() -> None:
    sum(iter(int, 1))  # one call into C that never returns


HOARD: list[object] = []


def _hoard() -> None:
    """Keep 45 MiB: two thirds of what a worker with a fake model has."""
    HOARD.append(np.ones((45 << 20) // 8, np.float64))


def _speak_nonsense() -> None:
    """Answer in the worker's place, on whatever it writes its answers to."""
    for fd in range(3, 20):
        with contextlib.suppress(OSError):
            os.write(fd, b"\0\0\0\2[]")
    time.sleep(1000)


DEEDS: dict[Deed, Callable[[], object]] = {
    Deed.CRASH: os.abort,
    Deed.HANG: lambda: time.sleep(1000),
    Deed.HANG_WITH_GIL: _hang_with_gil,
    Deed.BLOAT: _bloat,
    Deed.KILL: lambda: os.kill(os.getpid(), signal.SIGKILL),
    Deed.SLOW: lambda: time.sleep(0.1),
    Deed.PRINT: lambda: print("a library's chatter on standard output"),
    Deed.NONSENSE: _speak_nonsense,
    Deed.HOARD: _hoard,
}


@dataclass
class FakeModel:
    name: str = "fake"
    content_hash: str = "0" * 64
    input_size: int = SIDE
    labels: tuple[str, ...] = tuple(f"shade {number}" for number in range(CLASSES))
    temperature: float = 1.0
    engine: FakeEngine = field(default_factory=FakeEngine)
    note: str | None = None
    caveats: tuple[ModelCaveat, ...] = ()


Report = Callable[[str, float | None], None]


def load(model: settings.Model, *, report: Report) -> FakeModel:
    report("loading", 0.5)
    return FakeModel()


def load_updated(model: settings.Model, *, report: Report) -> FakeModel:
    """The same model in its next version, with other labels."""
    labels = tuple(f"tint {number}" for number in range(CLASSES))
    return FakeModel(name="fake, updated", content_hash="1" * 64, labels=labels)


def load_if_told(model: settings.Model, *, report: Report) -> FakeModel:
    """`model.name` is a file; what stands in it is done."""
    match Path(model.name).read_text():
        case "abort":
            os.abort()
        case "refuse":
            raise ModelUnavailable("The fake model is gone: put it back.")
        case "fail":
            raise RuntimeError("out of luck")
        case "hang":
            time.sleep(1000)
        case "note":
            return FakeModel(note="The Hub could not be reached.", caveats=("hub_out_of_reach",))
    return FakeModel()


def load_by_name(model: settings.Model, *, report: Report) -> FakeModel:
    return FakeModel(name="chosen" if model.name == "auto" else f"{model.name} by its name")


COSTLY_WIDTHS = range(200, 300)


def load_costly_decoder(model: settings.Model, *, report: Report) -> FakeModel:
    """Inside a worker: decoding a picture that is 200 to 299 pixels wide takes its height in hundredths of a
    second of processor time."""
    decode = batch_processor.decode  # type: ignore[attr-defined] # what it imports

    def costly(data: bytes, *, found: ImageHeader, **options: Any) -> DecodedImage:
        width, height = found.size
        until = time.thread_time() + height / 100
        while width in COSTLY_WIDTHS and time.thread_time() < until:
            hashlib.sha256(bytes(1 << 16))  # lets others have the GIL, as decoders do
        return decode(data, found=found, **options)

    batch_processor.decode = costly  # type: ignore[attr-defined, assignment] # see above
    return FakeModel()


def costly(core_seconds: float, red: int = 0, *, width: int = 200) -> bytes:
    """A picture that takes `load_costly_decoder`'s decoder so long."""
    return picture(red, size=(width, int(100 * core_seconds)))


def picture(red: int, green: int = 0, blue: int = 0, *, size: tuple[int, int] = (40, 40)) -> bytes:
    """A PNG of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, (red, green, blue)).save(file, "PNG")
    return file.getvalue()


def deed(what: Deed, number: int = 0, **kwargs: tuple[int, int]) -> bytes:
    """A picture that makes its worker do this; `number` tells those of one kind apart."""
    return picture(number, what, 255, **kwargs)


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that happens in another process or thread."""
    while not condition():  # noqa: ASYNC110 - which sets no Event of ours
        await asyncio.sleep(0.002)


@asynccontextmanager
async def running(
    wanted: settings.Settings | None = None, load: str = "load", *, sharing: Classifier | None = None
) -> AsyncIterator[Classifier]:
    """A classifier with the fake model, started and in the end closed."""
    classifier = Classifier(
        wanted or settings.Settings(), load=f"tests.inference.fakes:{load}", sharing=sharing
    )
    try:
        await classifier.start()
        yield classifier
    finally:
        await classifier.close()
