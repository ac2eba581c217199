"""What a test does where a program is missing that it checks with."""

from __future__ import annotations

import os

import pytest


def skip_without(reason: str | None) -> None:
    """Skip the test for this reason, if there is one; in CI, where nothing may be missing, fail."""
    if reason is not None and os.environ.get("CI"):
        pytest.fail(reason)
    if reason is not None:
        pytest.skip(reason)
