"""One way to read the database, one way to write it. Everything above says what, this says how."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import Connection, Executable, NullPool, Row, Select, event, text
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from bot.store.changes import Change, Changes
from bot.store.faults import StoreClosed, StoreError, StoreUnavailable, explain
from bot.store.location import Location
from bot.store.shard import WHOLE
from bot.store.tables import Base

T = TypeVar("T")

BUSY_TIMEOUT = 10.0
"""Seconds that SQLite waits for another process to finish its write before it gives up."""

ANSWER_TIMEOUT = 10.0
"""Seconds that a PostgreSQL may take to answer."""

BATCH = 500
"""Writes in one transaction at most, so that the first of them does not wait for ever."""

BOT = "whatsit"
"""What a bot calls itself to a PostgreSQL."""

_WRITES = "whatsit_writes"
_TRY_LOCK = text("SELECT pg_try_advisory_lock(hashtext(:job))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtext(:job))")


class Write(NamedTuple):
    """One statement and the values of its parameters."""

    statement: Executable
    values: Mapping[str, Any]


def connect(location: Location, *, pooled: bool = True, idle: int = 5) -> AsyncEngine:
    """Return an engine whose faults are `StoreError`s. It connects to nothing yet.

    To a PostgreSQL it keeps at most `idle` connections while it has nothing to do.
    """
    # What stands in the rows is in no error's text, and in no log.
    options: dict[str, Any] = {"hide_parameters": True} | ({} if pooled else {"poolclass": NullPool})
    if location.file:
        # No isolation level: sqlite3 begins no transaction by itself, so that ours may begin as IMMEDIATE.
        options["connect_args"] = {"timeout": BUSY_TIMEOUT, "isolation_level": None}
    elif pooled:
        options["pool_size"] = idle
        options["pool_pre_ping"] = True  # a server that was restarted is found again without an error
        options["connect_args"] = {
            "timeout": ANSWER_TIMEOUT,
            "command_timeout": ANSWER_TIMEOUT,
            "server_settings": {"application_name": BOT},  # by which `bot.store.sole_use` knows a bot
        }
    try:
        engine = create_async_engine(location.url, **options)
    except ModuleNotFoundError as error:
        raise StoreUnavailable(
            f"{location} needs the package {error.name}: pip install whatsit[postgres]"
        ) from error
    if location.file:
        event.listen(engine.sync_engine, "connect", _set_up)
        event.listen(engine.sync_engine, "begin", _begin)

    @event.listens_for(engine.sync_engine, "handle_error")
    def _explain(context: ExceptionContext) -> None:
        fault = explain(context.original_exception, location)
        if fault and not context.is_pre_ping:  # a ping that fails is answered with a new connection
            raise fault from context.original_exception

    return engine


def _set_up(connection: DBAPIConnection, record: object) -> None:  # noqa: ARG001 - SQLAlchemy's
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    # In WAL a commit outlives the death of the process without waiting for the disk; a power cut may cost the
    # last few commits, and never the file.
    cursor.execute("PRAGMA synchronous = NORMAL")
    # What is deleted is overwritten: tokens, and whatever a person has had erased.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later can find that another writer came between: so a writer
    # says at once that it will write, and a reader needs no transaction.
    if connection.get_execution_options().get(_WRITES):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class Database:
    """An open database. It belongs to the event loop it was first used on.

    `changes` is how other processes on it are told what has changed; None: there are no others.
    """

    def __init__(self, location: Location, engine: AsyncEngine, changes: Changes | None = None) -> None:
        self._location = location
        self._engine = engine
        self._writing = engine.execution_options(**{_WRITES: True})
        self._one_writer = asyncio.Lock()  # else SQLite would wait for itself, by polling
        self._waiting: list[_WaitingWrite] = []
        self._writer: asyncio.Task[None] | None = None
        self._whole: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._one_scrub = asyncio.Lock()
        self._scrubs_wanted = self._scrubbed = 0
        self.changes = changes or Changes()
        self.shard = WHOLE
        """Whose open work, last messages and departures this process sees."""
        self.failures = 0
        """How many reads and transactions have failed."""

    def insert(self, table: type[Base]) -> Insert:
        """Return an INSERT with `on_conflict_do_...`: both databases know it, and spell it alike."""
        if self._engine.dialect.name == "sqlite":
            return Insert(table)
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - not there to be paid for by everybody

        return cast("Insert", postgresql.insert(table))

    async def read(self, query: Select[T]) -> Sequence[T]:
        """Return the rows of a query of one column or one table."""
        self._check_open()
        return await self._to_its_end(self._read(query))

    async def _read(self, query: Select[T]) -> Sequence[T]:
        async with self._clear_faults(), AsyncSession(self._engine) as session:
            return (await session.scalars(query)).all()

    async def read_rows(self, query: Select[*tuple[Any, ...]]) -> Sequence[Row[*tuple[Any, ...]]]:
        """Return the rows of a query of several columns."""
        self._check_open()
        return await self._to_its_end(self._read_rows(query))

    async def _read_rows(self, query: Select[*tuple[Any, ...]]) -> Sequence[Row[*tuple[Any, ...]]]:
        async with self._clear_faults(), self._engine.connect() as connection:
            return (await connection.execute(query)).all()

    async def write(self, *writes: Write) -> None:
        """Do all of `writes` or none, in this order; they are kept when this returns.

        What is written while another transaction runs goes into the next one together: the more there is to
        do, the less each costs, and nobody waits for a timer. Writes that wait together are done in any
        order: await one before the next where order matters. A write may be tried twice, so it must bear
        that. Cancelling the wait does not take the write back.
        """
        self._check_open()
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_WaitingWrite(writes, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting(), name="store: write")
        await done

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction of one's own, for what is rare or needs to know how many rows it touched."""
        async with self._one_writer, self._clear_faults(), self._writing.begin() as connection:
            yield connection

    async def write_many(
        self, statement: Executable, rows: Sequence[Mapping[str, Any]], *changes: Change
    ) -> None:
        """Run one statement for each of `rows`, all or none, in a transaction of their own.

        Other processes are told of `changes`.
        """
        if rows:
            self._check_open()
            await self._to_its_end(self._write_many(statement, rows, changes))

    async def _write_many(
        self, statement: Executable, rows: Sequence[Mapping[str, Any]], changes: Sequence[Change]
    ) -> None:
        async with self.transaction() as connection:
            await connection.execute(statement, rows)
            await self.changes.announce(connection, changes)

    async def tell(self, *changes: Change) -> None:
        """Tell other processes of changes that are kept already. Raises a `StoreError`."""
        if changes and self.changes.is_shared:
            async with self.transaction() as connection:
                await self.changes.announce(connection, changes)

    @asynccontextmanager
    async def only_one(self, job: str) -> AsyncIterator[bool]:
        """Tell whether this process is to do `job` now; False while another one is at it."""
        if not self.changes.is_shared:
            yield True
            return
        lock = {"job": f"whatsit {job}"}
        async with AsyncExitStack() as stack:
            async with self._clear_faults():
                connection = await stack.enter_async_context(self._engine.connect())
                connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
                taken = bool((await connection.execute(_TRY_LOCK, lock)).scalar())
            try:
                yield taken
                if taken:
                    async with self._clear_faults():
                        await connection.execute(_UNLOCK, lock)
            except BaseException:
                await connection.invalidate()  # with the connection the lock ends
                raise

    async def settled(self) -> None:
        """Wait until everything that was given to `write` so far is written, or has failed."""
        await self.write()

    async def scrub(self, tables: Iterable[str]) -> bool:
        """Take the traces of deleted rows out of the database's files; False where some may be left for now.

        SQLite overwrites what it deletes, but not the copies that it has left behind when it moved rows from
        page to page, nor those in the write-ahead log. So the file is written anew, and the log emptied;
        meanwhile others may read. Of a PostgreSQL, `tables` are vacuumed: other rows may take their space
        and overwrite it in time. Those who want this while it is being done wait for the next time, together.
        Raises a `StoreError`.
        """
        self._check_open()
        self._scrubs_wanted += 1
        ticket = self._scrubs_wanted
        async with self._one_scrub:
            if self._scrubbed >= ticket:
                return True
            ticket = self._scrubs_wanted
            clean = await self._to_its_end(self._scrub(tables))
            self._scrubbed = ticket if clean else self._scrubbed
            return clean

    async def _scrub(self, tables: Iterable[str]) -> bool:
        async with self._one_writer, self._clear_faults(), self._engine.connect() as connection:
            if self._engine.dialect.name == "sqlite":
                await connection.exec_driver_sql("VACUUM")
                emptied = await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                return bool(emptied.scalar_one() == 0)  # whether a reader kept it from that
            connection = await connection.execution_options(isolation_level="AUTOCOMMIT")  # noqa: PLW2901 - the same one
            await connection.exec_driver_sql("VACUUM " + ", ".join(f'"{name}"' for name in tables))
            return True

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for work that a cancelled wait does not stop: half-way, it would leave a connection behind."""
        task = asyncio.create_task(work, name="store: one query")
        self._whole.add(task)
        task.add_done_callback(self._whole.discard)
        return await asyncio.shield(task)

    def _check_open(self) -> None:
        if self._closed:  # a connection made now would be nobody's to close
            raise StoreClosed("The store is closed.")

    async def close(self) -> None:
        """Finish what is being read and written, then let go of the database."""
        self._closed = True
        while running := {*self._whole, *([self._writer] if self._writer else [])}:
            await asyncio.wait(running)
        await self._engine.dispose()

    @asynccontextmanager
    async def _clear_faults(self) -> AsyncIterator[None]:
        try:
            yield
        except StoreError:
            self.failures += 1
            raise
        except OSError as error:  # a host that cannot be reached: the driver does not make that its own error
            self.failures += 1
            raise explain(error, self._location) or error from error

    async def _write_waiting(self) -> None:
        batch: list[_WaitingWrite] = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                error = await self._commit(batch)
                if error is None or isinstance(error, StoreError) or len(batch) == 1:
                    _settle(batch, error)  # a store that cannot be used cannot be used by any of them
                else:  # one bad apple must not spoil the others: each on its own shows which it is
                    for one in batch:
                        _settle([one], await self._commit([one]))
        finally:
            self._writer = None
            for one in (
                *batch,
                *self._waiting,
            ):  # whoever still waits now, waits for a writer that was cancelled
                one.done.cancel()

    async def _commit(self, batch: Sequence[_WaitingWrite]) -> Exception | None:
        alike: dict[tuple[int, ...], list[Sequence[Write]]] = {}
        for one in batch:
            alike.setdefault(tuple(id(write.statement) for write in one.writes), []).append(one.writes)
        try:
            async with self.transaction() as connection:
                for group in alike.values():
                    for step in zip(*group, strict=True):
                        await connection.execute(step[0].statement, [write.values for write in step])
        except Exception as error:  # noqa: BLE001 - it is raised, where its cause waits for an answer
            return error
        return None


class _WaitingWrite(NamedTuple):
    writes: Sequence[Write]
    done: asyncio.Future[None]


def _settle(batch: Sequence[_WaitingWrite], error: Exception | None) -> None:
    for one in batch:
        if one.done.done():  # whoever wanted to know was cancelled
            continue
        if error is None:
            one.done.set_result(None)
        else:
            one.done.set_exception(error)
