"""Models without weights for a cluster: they read their answer off the picture, see
`tests.inference.fakes`."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from config import settings
from inference.models import prepared
from inference.models.engines import Prediction
from tests.inference.fakes import FakeEngine, FakeModel, Report, picture

NAP_SECONDS = 0.16
"""For each crop, while which the sleeping engine takes no processor, as on a machine of its own. So long that
four of them at work leave the two cores of this machine to what is measured: transport and routing."""
SPYING = 254
"""What blue is in a picture whose green says what its worker tries to get at: see `Spying`."""
DENIED, REACHED = 1, 2
"""The class that a picture is said to be whose worker spied in vain, or not."""


class Spying(IntEnum):
    """What a worker that a picture has taken over tries to get at in the replica around it."""

    TOKEN = 10
    PORT = 20
    SOCKET = 30


def spying(what: Spying) -> bytes:
    """Return a picture that makes its worker do this."""
    return picture(0, what, SPYING)


@dataclass
class SpyingEngine(FakeEngine):
    """Reads Ray's token, and connects to its head and to the raylet, where a picture tells it to.

    It is made before the worker gives up its rights, and then can do all of that, or the test is none.
    """

    token_file: Path
    gcs: tuple[str, int]
    raylet: Path

    def __post_init__(self) -> None:
        for what in Spying:
            self.spy(what)

    def predict(self, batch: NDArray[np.uint8], *, maps: bool = False) -> Prediction:
        logits = super().predict(batch, maps=maps).logits
        for row, crop in zip(logits, batch, strict=True):
            _, green, blue = (int(value) for value in crop[len(crop) // 2, len(crop) // 2])
            if blue == SPYING:
                row[:] = 0
                row[self._outcome(Spying(green))] = 20
        return Prediction(logits)

    def spy(self, what: Spying) -> None:
        """Raises OSError where that is denied."""
        if what is Spying.TOKEN:
            self.token_file.read_bytes()
            return
        kind, address = (
            (socket.AF_INET, self.gcs) if what is Spying.PORT else (socket.AF_UNIX, str(self.raylet))
        )
        with socket.socket(kind, socket.SOCK_STREAM) as trial:
            trial.connect(address)

    def _outcome(self, what: Spying) -> int:
        try:
            self.spy(what)
        except OSError:
            return DENIED
        return REACHED


class SleepingEngine(FakeEngine):
    """Sleeps for each crop, however many come together, so that no replica is faster than another."""

    def predict(self, batch: NDArray[np.uint8], *, maps: bool = False) -> Prediction:
        time.sleep(NAP_SECONDS * len(batch))
        return super().predict(batch, maps=maps)


@dataclass
class SleepingModel(FakeModel):
    engine: FakeEngine = field(default_factory=SleepingEngine)


def load(model: settings.Model, *, report: Report) -> FakeModel:
    """Return a model that is another one for each prepared model that was pushed, and spies where told to.

    Its cache is that of a machine of `tests.cluster.machines`, beside whose folder the token is.
    """
    from tests.cluster.machines import HEAD, run_dir_of  # noqa: PLC0415 - which imports this

    folder = model.cache_dir.parent
    raylet = run_dir_of(folder) / "ray" / "session_latest" / "sockets" / "raylet"
    engine = SpyingEngine(token_file=folder.parent / "token", gcs=HEAD, raylet=raylet)
    card = prepared.card_of(Path(model.name))
    if card is None:
        return FakeModel(engine=engine)
    return FakeModel(name=card.name, content_hash=card.content_hash, engine=engine)


def load_sleeping(model: settings.Model, *, report: Report) -> FakeModel:
    """Return a model that sleeps."""
    return SleepingModel()
