"""A store for each test: in SQLite always, and in PostgreSQL where `tests/postgres.sh` started one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

import config.settings
from bot.store import GuildSettings, Retention, Store
from bot.store.location import Location, locate
from tests.postgresql import empty_database


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
    async with empty_database() as url:
        yield Place(config.settings.StoreSettings(url=url), config.settings.Data(dir=tmp_path / "data"))


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    async with place.opened() as opened:
        yield opened
