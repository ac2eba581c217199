"""NOTICE names what Whatsit stands on."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAMES = sorted(canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"])


@pytest.mark.parametrize("name", NAMES)
def test_every_library_is_named(name: str) -> None:
    words = {
        canonicalize_name(word.strip(",")) for word in (ROOT / "NOTICE").read_text(encoding="utf-8").split()
    }
    assert name in words


def test_the_licence_is_the_whole_one() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
