"""Models without weights for a cluster: they read their answer off the picture, as in
`tests.inference.fakes`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from config import settings
from inference.models import prepared
from inference.models.engines import Prediction
from tests.inference.fakes import FakeEngine, FakeModel, Report

NAP_SECONDS = 0.05
"""For which the sleeping engine takes no processor, as on a machine of its own."""


class SleepingEngine(FakeEngine):
    """Sleeps for each pair of crops, one pair after the other."""

    def predict(self, batch: NDArray[np.uint8], *, maps: bool = False) -> Prediction:
        time.sleep(NAP_SECONDS)
        return super().predict(batch, maps=maps)


@dataclass
class SleepingModel(FakeModel):
    engine: FakeEngine = field(default_factory=SleepingEngine)


def load(model: settings.Model, *, report: Report) -> FakeModel:
    """Return a model that is another one for each prepared model that was pushed."""
    card = prepared.card_of(Path(model.name))
    return FakeModel() if card is None else FakeModel(name=card.name, content_hash=card.content_hash)


def load_sleeping(model: settings.Model, *, report: Report) -> FakeModel:
    """Return a model that sleeps."""
    return SleepingModel()
