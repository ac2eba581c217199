"""Move all that a store holds to another database, such as from SQLite to PostgreSQL or back.

The source is only read. The target is filled, read back and compared in one transaction: whatever goes wrong,
it is as empty as before, and the move can be tried again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Table, func, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.check import TABLES, check, refuse_unusable
from bot.store.database import connect
from bot.store.faults import StoreError, StoreUnavailable, explain
from bot.store.location import Location
from bot.store.migrations import HEAD
from bot.store.sole_use import sole_use
from bot.store.upgrading import make_ready

CHUNK = 500
"""Rows in memory at once."""


@dataclass
class TableSum:
    """How many rows a table has, and the sum of their hashes: the same in any order and in both databases."""

    rows: int = 0
    total: int = 0

    def add(self, rows: Sequence[Row[Any]]) -> None:
        """Count some rows."""
        self.rows += len(rows)
        for row in rows:
            # As Python has them: how a database writes a moment, a yes or JSON is its own affair.
            text = json.dumps(list(row), sort_keys=True, default=str)
            self.total += int.from_bytes(hashlib.sha256(text.encode()).digest())
            self.total %= 1 << 256


async def move(source: Location, target: Location, report: Callable[[str, int], None]) -> int:
    """Copy all rows of `source` to `target`, which must be empty, and return how many there are.

    `report` is told each table that is copied, and its rows. Raises a `StoreError`, and then the target has
    no row. No bot may use either of the two.
    """
    if source == target or (source.file and target.file and source.file.resolve() == target.file.resolve()):
        raise StoreUnavailable(f"{source} is where the store is already. Name another place.")
    async with _clear_faults(source), sole_use(source):
        found = await check(source)
        refuse_unusable(found)
        if found.version != HEAD:
            raise StoreUnavailable(
                f"{source} is of version {found.version}, and this Whatsit has version {HEAD}. `whatsit "
                "doctor` brings it up to date; then move it."
            )
        async with _clear_faults(target), sole_use(target):
            new = target.file is not None and not await asyncio.to_thread(target.file.exists)
            try:
                return await _move(source, target, report)
            except BaseException:
                if new and target.file is not None:
                    for suffix in ("", "-wal", "-shm"):
                        target.file.with_name(target.file.name + suffix).unlink(missing_ok=True)
                raise


async def _move(source: Location, target: Location, report: Callable[[str, int], None]) -> int:
    old, new = connect(_to_read(source), pooled=False), connect(target, pooled=False)
    try:
        await make_ready(target, new)
        writing = new.execution_options(whatsit_writes=True)
        async with old.connect() as reader, writing.begin() as writer:
            await _refuse_filled(target, writer)
            rows = 0
            for table in TABLES:
                sent = await _copy(table, reader, writer, target)
                if sent != (arrived := await _sum(table, writer)):
                    raise StoreUnavailable(
                        f"{target}: {table.name} arrived with {arrived.rows} rows of {sent.rows}, or not as "
                        "it was sent. Nothing was moved; please report this."
                    )
                report(table.name, sent.rows)
                rows += sent.rows
        return rows
    finally:
        await old.dispose()
        await new.dispose()


async def _copy(table: Table, reader: AsyncConnection, writer: AsyncConnection, target: Location) -> TableSum:
    """Copy a table, and return the sum of what was read."""
    sent = TableSum()
    async for rows in _chunks(table, reader):
        sent.add(rows)
        try:
            await writer.execute(insert(table), [dict(row._mapping) for row in rows])  # noqa: SLF001 - SQLAlchemy's way
        except DBAPIError as error:
            raise StoreUnavailable(
                f"{target} did not take a row of {table.name}: {error.orig}. Nothing was moved."
            ) from error
    return sent


async def _sum(table: Table, connection: AsyncConnection) -> TableSum:
    found = TableSum()
    async for rows in _chunks(table, connection):
        found.add(rows)
    return found


async def _chunks(table: Table, connection: AsyncConnection) -> AsyncIterator[Sequence[Row[Any]]]:
    result = await connection.stream(select(table).execution_options(yield_per=CHUNK))
    async for rows in result.partitions(CHUNK):
        yield rows


async def _refuse_filled(target: Location, connection: AsyncConnection) -> None:
    filled = [
        f"{table.name} ({count})"
        for table in TABLES
        if (count := (await connection.execute(select(func.count()).select_from(table))).scalar())
    ]
    if filled:
        raise StoreUnavailable(
            f"{target} is a store already, with rows in {', '.join(filled)}. Name an empty database or a new "
            "file; what is there is not mixed with anything."
        )


def _to_read(location: Location) -> Location:
    """Return the location with which nothing in a SQLite file can be changed."""
    if location.file is None:
        return location
    address = f"{location.file.absolute().as_uri()}?mode=ro&uri=true"
    return Location(
        location.url.set(database=address.partition("?")[0], query={"mode": "ro", "uri": "true"}),
        location.file,
    )


@asynccontextmanager
async def _clear_faults(location: Location) -> AsyncIterator[None]:
    try:
        yield
    except (OSError, DBAPIError) as error:
        if isinstance(error, StoreError):
            raise
        raise explain(error, location) or error from error
