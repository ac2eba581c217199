"""Look whether a store is sound, and what is in it, without changing anything."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from bot.store.database import BUSY_TIMEOUT, connect
from bot.store.faults import StoreDamaged, StoreError, StoreTooNew, StoreUnavailable, explain
from bot.store.location import Location
from bot.store.migrations import HEAD, VERSION_TABLE
from bot.store.tables import Base
from bot.store.upgrading import version

TABLES = tuple(Base.metadata.sorted_tables)
MOST_FAULTS = 20
"""Complaints of SQLite that are repeated."""


@dataclass
class StoreReport:
    """What was found.

    `faults`: sentences about what is wrong, empty for a sound store. `version`: of its tables, None where
    there are none. `rows`: by table, where it could be counted. `size` is in bytes. `free` is room that was
    used before: pages of `page` bytes in SQLite, deleted rows in PostgreSQL, where `page` is None.
    """

    place: str
    version: str | None = None
    faults: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    size: int = 0
    free: int = 0
    page: int | None = None

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


async def check(location: Location) -> StoreReport:
    """Read all of a store. Raises a `StoreError` where it cannot be read at all."""
    if location.file is not None:
        return await asyncio.to_thread(check_file, location.file)
    engine = connect(location, pooled=False)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_look, StoreReport(str(location)))
    except OSError as error:
        raise explain(error, location) or error from error
    finally:
        await engine.dispose()


def check_file(file: Path) -> StoreReport:
    """Do `check` for a SQLite file: a store, or a backup of one."""
    location, report = Location.of_file(file), StoreReport(str(file))
    if not file.is_file():
        raise StoreUnavailable(f"{file} is not there. The bot makes its store at its first start.")
    try:
        with closing(open_to_read(file)) as connection:
            complaints = [row[0] for row in connection.execute("PRAGMA integrity_check(20)")]
            report.faults += [complaint for complaint in complaints[:MOST_FAULTS] if complaint != "ok"]
            astray = connection.execute("PRAGMA foreign_key_check").fetchmany(MOST_FAULTS)
            report.faults += [f"A row of {row[0]} refers to one that is not there." for row in astray]
            pages, report.free, report.page = (
                connection.execute(f"PRAGMA {what}").fetchone()[0]
                for what in ("page_count", "freelist_count", "page_size")
            )
            report.size = pages * report.page
            there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if VERSION_TABLE in there:
                found = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608 - a constant
                report.version = found and found[0]
            _judge(report, there)
            for table in TABLES:
                if table.name in there:
                    count = connection.execute(f'SELECT count(*) FROM "{table.name}"')  # noqa: S608 - our own name
                    report.rows[table.name] = count.fetchone()[0]
    except sqlite3.Error as error:
        fault = explain(error, location)
        if not isinstance(fault, StoreDamaged):
            raise fault or error from error
        report.faults.append(f"SQLite cannot read it: {error}.")
    return report


def open_to_read(file: Path) -> sqlite3.Connection:
    """Open a SQLite file so that nothing in it can be changed."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT)


def refuse_unusable(report: StoreReport) -> None:
    """Raise the `StoreError` for what this Whatsit cannot read, or nobody can."""
    if report.version is not None and report.version > HEAD and report.version.isdigit():
        raise StoreTooNew(
            f"{report.place} was written by a newer Whatsit (version {report.version} of the store; this one "
            f"knows {HEAD} and older). Update Whatsit first."
        )
    if not report.is_sound:
        raise StoreDamaged(f"{report.place} cannot be used: {' '.join(report.faults)}")


def _look(connection: Connection, report: StoreReport) -> StoreReport:
    """Look into a PostgreSQL."""
    there = set(inspect(connection).get_table_names())
    report.version = version(connection)
    _judge(report, there)
    for table in TABLES:
        if table.name not in there:
            continue
        whole = text(f'SELECT count(*), max(length(t::text)) FROM "{table.name}" AS t')  # noqa: S608 - our own name
        try:
            with connection.begin_nested():
                report.rows[table.name] = connection.execute(whole).one()[0]
        except (StoreError, DBAPIError) as error:
            report.faults.append(f"{table.name} cannot be read: {error}")
    sizes = text(
        "SELECT coalesce(sum(pg_total_relation_size(relid)), 0), coalesce(sum(n_dead_tup), 0) "
        "FROM pg_stat_user_tables WHERE relname = ANY(:names)"
    )
    size, dead = connection.execute(sizes, {"names": [table.name for table in TABLES]}).one()
    report.size, report.free = int(size), int(dead)
    return report


def _judge(report: StoreReport, there: set[str]) -> None:
    """Note what is wrong with the tables themselves."""
    if report.version is None:
        what = "no tables of Whatsit's" if not there else "tables of another program, and none of Whatsit's"
        report.faults.append(f"There are {what}.")
    elif not (report.version.isdigit() and len(report.version) == len(HEAD)):
        report.faults.append(f"Its version is {report.version!r}, which no Whatsit ever wrote.")
    elif report.version == HEAD and (missing := {table.name for table in TABLES} - there):
        report.faults.append(f"Tables are missing: {', '.join(sorted(missing))}.")
