"""Models converted for OpenVINO, kept by the hash of their SavedModel: a later start needs no TensorFlow."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import NamedTuple

from inference.models import model_cache
from inference.models.child_process import Report

MODEL = "model.xml"
INT8 = "int8-2"
"""Raise its number with every change of `quantize_child` that changes what it writes."""

HEAD = "head.npy"
"""What the last layer multiplies the features by, float32 [width, classes], where the model has maps."""

VERDICT = "verdict.json"

RECIPE = 4
"""Raise it with every change of `frozen_graph` or `convert_child` that changes what they write."""

PREPARE_SECONDS = 240.0


class ConversionResult(NamedTuple):
    """What converting a model found: its input's height and width in pixels, how many classes it has, and why
    OpenVINO is not used (None: it agrees with TensorFlow)."""

    input_size: int
    classes: int
    objection: str | None


def place_of(digest: str, cache_dir: Path, *, kind: str = "f32") -> Path:
    """Return where the model with that content hash is kept, for this recipe and this version of OpenVINO."""
    version = importlib.metadata.version("openvino")
    return cache_dir / "engines" / f"{digest[:32]}-{RECIPE}-openvino-{version}-{kind}"


def ensure(
    name: str, saved_model: Path, digest: str, cache_dir: Path, *, default_size: int, report: Report
) -> tuple[Path, ConversionResult]:
    """Return the folder with `MODEL` (where OpenVINO is used), and the result; convert first where need be.

    `saved_model` is the folder whose content hash is `digest`, `default_size` the input's height and width in
    pixels where its signature leaves them open. Raises ModelUnavailable.
    """
    folder = model_cache.ensure_built(
        place_of(digest, cache_dir),
        f"the model {name}",
        "inference.models.convert_child:prepare",
        {"name": name, "saved_model": str(saved_model), "default_size": default_size},
        source=saved_model,
        deadline=PREPARE_SECONDS,
        report=report,
    )
    return folder, ConversionResult(**json.loads((folder / VERDICT).read_text(encoding="utf-8")))
