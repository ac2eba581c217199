"""Bring the database to the shape that this code needs, also when two processes start at once.

The work is done in a thread with an event loop of its own, so that the caller's never waits for a file. All
of it is one transaction under one lock: whoever comes second finds it done, and a process that dies in
the middle leaves everything as it was.
"""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.database import BUSY_TIMEOUT, connect
from bot.store.faults import StoreDamaged, StoreTooNew, damaged, explain
from bot.store.location import Location
from bot.store.migrations import HEAD, VERSION_TABLE

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 0x7768_6174_7369_74  # "whatsit": a number that nobody else is likely to lock
_ALEMBIC = threading.Lock()  # Alembic's own context is one for the process


async def make_ready(location: Location, engine: AsyncEngine) -> None:
    """See that the database is there, sound and of this code's version.

    Raises `StoreUnavailable`, `StoreDamaged` or `StoreTooNew`.
    """
    if location.file:
        await asyncio.to_thread(_make_file_ready, location, location.file)
    async with engine.connect() as connection:
        found = await connection.run_sync(version)
    if found == HEAD:
        return  # the usual start; Alembic is not even imported
    if found is not None and not re.fullmatch(r"\d{4}", found):
        raise StoreDamaged(
            f"{location} says its version is {found!r}, which no Whatsit ever wrote. Restore a backup."
        )
    if found is not None and found > HEAD:
        raise StoreTooNew(
            f"{location} was written by a newer Whatsit (version {found} of the store; this one knows "
            f"{HEAD} and older). Update Whatsit, or restore the backup from before the update."
        )
    await asyncio.to_thread(change, location, _to_head)


def version(connection: Connection) -> str | None:
    """Return the version of the store's tables; None where there are none yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant


def change(location: Location, command: Callable[[Config], None]) -> None:
    """Run one of Alembic's commands (upgrade, downgrade) on the database. Blocks: not for the event loop."""
    with _ALEMBIC:
        asyncio.run(_change(location, command))


def _to_head(alembic: Config) -> None:
    from alembic.command import upgrade  # noqa: PLC0415 - 0.1 s that a start with nothing to do does not pay

    upgrade(alembic, HEAD)


async def _change(location: Location, command: Callable[[Config], None]) -> None:
    from alembic.config import Config  # noqa: PLC0415

    alembic = Config()
    alembic.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))

    def run(connection: Connection) -> None:
        alembic.attributes["connection"] = connection
        command(alembic)

    engine = connect(location, pooled=False)
    try:
        async with engine.connect() as connection:
            if location.file:
                # SQLite alters a table by making it anew: dropping the old one must empty no other.
                await connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
                await connection.rollback()
            connection = await connection.execution_options(whatsit_writes=True)  # noqa: PLW2901 - the same one
            async with connection.begin():
                if not location.file:
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                await connection.run_sync(run)
                if location.file and (await connection.exec_driver_sql("PRAGMA foreign_key_check")).first():
                    raise StoreDamaged(
                        f"{location}: a row refers to one that is not there. Restore a backup."
                    )
    finally:
        await engine.dispose()


def _make_file_ready(location: Location, file: Path) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made here and not by SQLite, so that nobody else may read it: it holds tokens.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(file, timeout=BUSY_TIMEOUT)) as connection:
            complaint = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if complaint != "ok":
                raise damaged(location, complaint.splitlines()[-1])
            tables = {
                name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
            if tables and VERSION_TABLE not in tables:
                raise StoreDamaged(
                    f"{location} is another program's database. Name another file in `store.url`."
                )
            connection.execute("PRAGMA journal_mode = WAL")
    except (OSError, sqlite3.Error) as error:
        raise explain(error, location) or error from error
