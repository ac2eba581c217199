"""Marks of tests: which kind of server the stub is for them."""

from __future__ import annotations

import pytest

__all__ = ["compatible_server", "each_server"]

each_server = pytest.mark.parametrize("wire", [False, True], ids=["discord", "compatible"], indirect=True)
"""Run it on Discord, and on a Discord-compatible server."""
compatible_server = pytest.mark.parametrize("wire", [True], ids=["compatible"], indirect=True)
"""Run it on a Discord-compatible server."""
