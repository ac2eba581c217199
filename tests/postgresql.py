"""An empty database for a test, on the PostgreSQL that `tests/postgres.sh` started."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

__all__ = ["empty_database"]


@asynccontextmanager
async def empty_database() -> AsyncIterator[str]:
    """Make a database that is gone at the end, and give its address, as an owner writes it in `store.url`.

    The test is skipped where there is no PostgreSQL; in CI it fails.
    """
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
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        async with admin.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        await admin.dispose()
