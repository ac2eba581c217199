"""Have a store for oneself: while it is restored or moved, no bot may use it, nor one that shares it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from sqlalchemy import text

from bot.store.database import BOT, connect
from bot.store.faults import StoreInUse, StoreUnavailable, explain
from bot.store.lease import StoreLease
from bot.store.location import Location

_BOTS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :bot"
)


@asynccontextmanager
async def sole_use(location: Location) -> AsyncIterator[None]:
    """Keep every bot out until the block is left. Raises `StoreUnavailable` if one is in."""
    try:
        if location.file is not None:
            await asyncio.to_thread(location.file.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
        lease = await StoreLease.take(location)
    except StoreInUse as error:
        raise _in_use(location) from error
    except OSError as error:
        raise explain(error, location) or error from error
    try:
        if await _is_open_elsewhere(location):
            raise _in_use(location)
        yield
    finally:
        await lease.release()


def _in_use(location: Location) -> StoreUnavailable:
    return StoreUnavailable(f"{location} is used by a bot. Stop every bot on it, and then do this again.")


async def _is_open_elsewhere(location: Location) -> bool:
    """Whether somebody has it open who holds no lease: bots with `store.shared` do not."""
    if location.file is not None:
        return await asyncio.to_thread(_is_file_open, location.file)
    engine = connect(location, pooled=False)
    try:
        async with engine.connect() as connection:
            return bool((await connection.execute(_BOTS, {"bot": BOT})).scalar())
    finally:
        await engine.dispose()


def _is_file_open(file: Path) -> bool:
    """Ask SQLite for the file alone, which it gives to nobody while another connection is there."""
    if not file.exists():
        return False
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
        try:
            for statement in ("PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE", "COMMIT"):
                connection.execute(statement)
        except sqlite3.Error as error:  # of a damaged file, which nobody can have open
            return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return False
