"""The proper names of the models in `config/models.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("models.toml")


def title_of(model: str) -> str:
    """Return the proper name of a model, such as EfficientNet-Lite0; of one with no entry the name it has."""
    return _titles().get(model, model)


@cache
def _titles() -> dict[str, str]:
    with FILE.open("rb") as file:
        return {name: table["title"] for name, table in tomllib.load(file).items()}
