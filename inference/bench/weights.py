"""The SavedModel that Whatsit itself loads, for the systems it is compared with."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from config.settings import Model
from inference.models.labels import labels_for
from inference.models.loading import locate

__all__ = ["Weights", "weights"]


class Weights(NamedTuple):
    """A SavedModel's folder, the height and width of its input in pixels, and one label a class."""

    folder: Path
    input_size: int
    labels: tuple[str, ...]


def weights(model: Model) -> Weights:
    """Raises ModelUnavailable, and ValueError for a model that is not in the catalogue."""
    located = locate(model, report=lambda _stage, _fraction: None)
    if located.entry is None:
        raise ValueError(f"the benchmark measures models of the catalogue, and {model.name} is none of them")
    labels = labels_for(located.name, located.entry.classes, model.labels)
    return Weights(located.folder, located.entry.input_size, labels)
