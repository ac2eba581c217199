"""A model made ready for OpenVINO: kept in the cache by the hash of its SavedModel, so that a later start
needs no TensorFlow.
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import NamedTuple

from inference.models import child_process, model_cache
from inference.models.child_process import Report
from inference.results import ModelUnavailable

__all__ = ["INT8", "MODEL", "VERDICT", "ConversionResult", "ensure", "place_of"]

MODEL = "model.xml"
INT8 = "int8"
VERDICT = "verdict.json"

RECIPE = 3
"""Raise it with every change of `frozen_graph` or `convert_child` that changes what they write."""

PREPARE_SECONDS = 240.0


class ConversionResult(NamedTuple):
    """What was found when the model was made ready: its input's height and width in pixels, its classes, and
    why OpenVINO is not taken (None: it agrees with TensorFlow)."""

    input_size: int
    classes: int
    objection: str | None


def place_of(digest: str, cache_dir: Path, *, kind: str = "f32") -> Path:
    """Where the model of that content hash is kept, made ready by this recipe and this OpenVINO."""
    version = importlib.metadata.version("openvino")
    return cache_dir / "engines" / f"{digest[:32]}-{RECIPE}-openvino-{version}-{kind}"


def ensure(
    name: str, saved_model: Path, digest: str, cache_dir: Path, *, default_size: int, report: Report
) -> tuple[Path, ConversionResult]:
    """The folder with `MODEL` (where OpenVINO is taken), and the verdict; made first where it is missing or
    damaged, which takes seconds. Raises ModelUnavailable."""
    place = place_of(digest, cache_dir)
    if folder := model_cache.intact(place):
        return folder, _verdict(folder)

    def fill(folder: Path) -> None:
        arguments = {
            "name": name,
            "saved_model": str(saved_model),
            "folder": str(folder),
            "default_size": default_size,
        }
        child_process.run(
            "inference.models.convert_child:prepare", arguments, deadline=PREPARE_SECONDS, report=report
        )

    report(f"getting {name} ready, once", 0.0)
    try:
        with model_cache.locked(place, name=name):
            folder = model_cache.intact(place) or model_cache.install(place, fill)
    except child_process.ChildJobFailed as error:
        raise ModelUnavailable(f"The model {name} could not be made ready: {error}.") from None
    except child_process.ChildJobTimedOut:
        raise ModelUnavailable(
            f"Making the model {name} ready took over {PREPARE_SECONDS:.0f} s and was given up. Try again "
            "when the machine has less to do."
        ) from None
    except OSError as error:
        raise ModelUnavailable(
            f"The model {name} cannot be written to {place.parent}: {error.strerror or error}. Free some "
            "space there, or set model.cache_dir to another folder."
        ) from None
    return folder, _verdict(folder)


def _verdict(folder: Path) -> ConversionResult:
    return ConversionResult(**json.loads((folder / VERDICT).read_text(encoding="utf-8")))
