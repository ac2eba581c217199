"""Six photographs from installed packages, of things that ImageNet knows."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from PIL import Image

SOURCES = (
    ("skimage", "data/chelsea.png"),
    ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    ("skimage", "data/coffee.png"),
    ("skimage", "data/astronaut.png"),
    ("skimage", "data/rocket.jpg"),
    ("skimage", "data/motorcycle_left.png"),
)
"""Package, and file inside it."""


def photographs() -> list[Image.Image]:
    """Read the photographs. Raises FileNotFoundError where their packages are not installed."""
    return [Image.open(installed(package, name)).convert("RGB") for package, name in SOURCES]


def installed(package: str, name: str) -> Path:
    """Return a file of an installed package. Raises FileNotFoundError where it is not there."""
    spec = importlib.util.find_spec(package)  # finds without importing: scikit-image takes seconds
    for folder in (spec.submodule_search_locations if spec else None) or ():
        if (file := Path(folder, name)).is_file():
            return file
    raise FileNotFoundError(
        f"the benchmark takes its photographs from the package {package!r} ({name}), which is not installed; "
        "install the benchmark's requirements: pip install -r requirements/bench.txt"
    )
