"""What tests of the models share."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Model
from inference.models import embedded


@pytest.fixture(scope="session")
def embedded_model() -> Path:
    """The embedded model's SavedModel folder. Built once and kept in the user's own cache, by its hash, like
    `make demo` does: building takes seconds that every run would pay."""
    return embedded.ensure(Model().cache_dir, report=lambda *_: None)
