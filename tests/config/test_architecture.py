"""ARCHITECTURE.md speaks of what is there, and of all that matters."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
MODULES = sorted(set(re.findall(r"\b(?:bot|inference|config)(?:\.[a-z_]+)+\b", TEXT)))
PATHS = sorted(set(re.findall(r"`((?:bot|inference|config|tests)/[\w./]*)`", TEXT)))


@pytest.mark.parametrize("module", MODULES)
def test_the_modules_it_names_exist(module: str) -> None:
    assert find_spec(module) is not None


@pytest.mark.parametrize("path", PATHS)
def test_the_files_and_folders_it_names_exist(path: str) -> None:
    assert (ROOT / path).exists()


def test_it_names_enough_to_be_checked() -> None:
    assert len(MODULES) > 15
    assert len(PATHS) > 8


def test_it_fits_on_two_screens() -> None:
    assert len(TEXT.splitlines()) <= 125
