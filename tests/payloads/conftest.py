"""Fixtures of the tests of what is sent: see `tests/world.py`."""

from __future__ import annotations

from tests.world import classifier, discord_schema, fetcher, knowledge, observer, simcord_bot, stores, world

__all__ = [
    "classifier",
    "discord_schema",
    "fetcher",
    "knowledge",
    "observer",
    "simcord_bot",
    "stores",
    "world",
]
