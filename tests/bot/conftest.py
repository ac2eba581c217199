"""Fixtures of the tests of the bot: see `tests/world.py`."""

from __future__ import annotations

from tests.world import classifier, fetcher, simcord_bot, world

__all__ = ["classifier", "fetcher", "simcord_bot", "world"]
