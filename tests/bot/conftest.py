"""Fixtures of the tests of the bot: see `tests/world.py`."""

from __future__ import annotations

import pytest

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the bot 10 seconds to come to rest, and not 5: three other tests may keep the machine busy.

    A timer of the bot's that rings later than that counts as rest.
    """
    for item in items:
        if item.get_closest_marker("simcord") is None:
            item.add_marker(pytest.mark.simcord(settle_timeout=10.0))
