"""Where the SavedModel is that Whatsit itself would load, for the systems it is compared with."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from config.settings import Model
from inference import embedded
from inference.labels import labels_for

__all__ = ["Weights", "weights"]


class Weights(NamedTuple):
    folder: Path
    input_size: int
    labels: tuple[str, ...]


def weights(model: Model) -> Weights:
    """Raises ModelUnavailable."""
    folder = embedded.ensure(model.cache_dir, report=lambda _stage, _fraction: None)
    return Weights(folder, 224, labels_for(model.name, 1000, model.labels))
