"""Fixtures of the wire tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from bot.connection import server
from tests.wire.wire import Wire


@pytest.fixture(autouse=True)
def discord_py_forgets_the_stub() -> Iterator[None]:
    """The addresses are discord.py's class attributes, and the process goes on with other tests."""
    yield
    server.use(None)


@pytest.fixture
async def wire(request: pytest.FixtureRequest) -> AsyncIterator[Wire]:
    """A stub of Discord; where a test asks for it (`tests.wire.modes`), of a Discord-compatible server."""
    async with Wire(strict=getattr(request, "param", False)) as running:
        yield running
        assert running.trap.hits == []
        assert running.world.unknown == []
