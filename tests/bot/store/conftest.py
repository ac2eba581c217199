"""A store for each test: in SQLite always, and in PostgreSQL where `tests/postgres.sh` started one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

import config.settings
from bot.store import GuildSettings, Retention, Store
from bot.store.location import Location, locate


@dataclass
class Clock:
    """Stands still unless it is told otherwise."""

    time: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass
class Place:
    """An empty database: what an owner would write in the settings to have the store there."""

    store: config.settings.StoreSettings
    data: config.settings.Data
    clock: Clock = field(default_factory=Clock)

    @property
    def location(self) -> Location:
        return locate(self.store, self.data)

    @asynccontextmanager
    async def opened(
        self,
        guild_defaults: GuildSettings | None = None,
        retention: Retention | None = None,
        *,
        alone: bool = False,
    ) -> AsyncIterator[Store]:
        store = await Store.open(
            self.store,
            self.data,
            guild_defaults=guild_defaults or GuildSettings(),
            retention=retention,
            alone=alone,
            now=self.clock,
        )
        try:
            yield store
        finally:
            await store.close()

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        """What the database holds, asked from outside."""
        engine = create_async_engine(self.location.url)
        try:
            async with engine.connect() as connection:
                return [tuple(row) for row in await connection.execute(text(query))]
        finally:
            await engine.dispose()

    async def becomes(self, query: str, rows: list[tuple[object, ...]]) -> None:
        """Wait for what the store does by itself; the test's own time-out is the limit."""
        while await self.rows(query) != rows:  # noqa: ASYNC110 - nothing tells us when
            await asyncio.sleep(0.02)


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    return Place(config.settings.StoreSettings(), config.settings.Data(dir=tmp_path / "data"))


@pytest.fixture
async def postgresql_place(tmp_path: Path) -> AsyncIterator[Place]:
    server = os.environ.get("TEST_POSTGRES_URL")
    if server is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI tests PostgreSQL too: run the tests through tests/postgres.sh")
        pytest.skip("no PostgreSQL here: tests/postgres.sh starts one")
    name = f"whatsit_{uuid4().hex}"
    admin = create_async_engine(
        make_url(server).set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT"
    )
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    yield Place(config.settings.StoreSettings(url=url), config.settings.Data(dir=tmp_path / "data"))
    async with admin.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    async with place.opened() as opened:
        yield opened
