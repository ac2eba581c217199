"""The models that Whatsit knows by name, from `config/models.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from config import settings
from inference.models import embedded, hub

FILE = Path(settings.__file__).with_name("models.toml")

AUTO = "mobilenet_v2"
"""What `auto` takes where the Hub can be reached or was reached before."""

EMBEDDED = "efficientnet_lite0"
"""What `auto` takes elsewhere."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One model of the catalogue.

    `title` is its proper name, and `source` a Hub address or "embedded". `input_size` is its input's height
    and width in pixels, `classes` 1000 or 1001 (`background` first). Probabilities are
    softmax(logits / `temperature`). `sha256` is the content hash (`model_cache.content_hash`) that a download
    must have, None where the first one is trusted.
    """

    name: str
    title: str
    source: str
    input_size: int
    classes: int
    temperature: float
    licence: str
    summary: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """A model of the catalogue, its SavedModel folder where it is on disk, and that folder's bytes or 0."""

    entry: CatalogueEntry
    cached: Path | None
    size: int


@cache
def entries() -> tuple[CatalogueEntry, ...]:
    """Return the catalogue, in the order of its file."""
    with FILE.open("rb") as file:
        return tuple(CatalogueEntry(name, **table) for name, table in tomllib.load(file).items())


def find(name: str) -> CatalogueEntry | None:
    """Return the model of that name or Hub address, None where there is none."""
    return next((entry for entry in entries() if name in (entry.name, entry.source)), None)


def describe(model: settings.Model) -> tuple[CatalogueRow, ...]:
    """Return the catalogue, with what is cached of it."""
    return tuple(_row(entry, model) for entry in entries())


def _row(entry: CatalogueEntry, model: settings.Model) -> CatalogueRow:
    if entry.source == "embedded":
        folder = embedded.cached(model.cache_dir)
    else:
        folder = hub.cached(entry.source, model.cache_dir)
    files = folder.rglob("*") if folder else ()
    return CatalogueRow(entry, folder, sum(path.stat().st_size for path in files if path.is_file()))
