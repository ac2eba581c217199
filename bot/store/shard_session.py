"""One connection to PostgreSQL whose locks say what a process has: they end with it, `kill -9` too."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.store.database import connect
from bot.store.faults import StoreError, StoreUnavailable, explain
from bot.store.location import Location

SPARE = "whatsit spare"
"""What a process calls itself to PostgreSQL while it waits for a shard."""
WITHIN = 2.0
"""Seconds that PostgreSQL may take to answer; what takes longer counts as lost."""
ENDS_AFTER = 12.0
"""Seconds after which PostgreSQL ends the locks of a machine that has lost its power or its network."""
_SETTINGS = (
    "SET tcp_keepalives_idle = 6",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 3",
    f"SET tcp_user_timeout = {ENDS_AFTER * 1000:.0f}",  # while an answer is on its way, no keepalive is sent
)
LOST = (StoreError, SQLAlchemyError, OSError, TimeoutError)


class ShardSession:
    """`lost` is set when PostgreSQL ends the connection; one that is cut silently only shows when asked."""

    def __init__(
        self, location: Location, engine: AsyncEngine, connection: AsyncConnection, driver: Any
    ) -> None:
        """Use `begin`."""
        self._location = location
        self._engine = engine
        self._connection = connection
        self._driver = driver
        self._one_question = asyncio.Lock()
        self.lost = asyncio.Event()
        self.pid: int = driver.get_server_pid()
        """The number of PostgreSQL's process at the other end."""
        self.name = ""
        driver.add_termination_listener(lambda _: self.lost.set())

    @classmethod
    async def begin(cls, location: Location) -> Self:
        """Connect. Raises a `StoreError`, or another of `LOST`."""
        engine = connect(location, pooled=False)
        try:
            async with asyncio.timeout(WITHIN):
                connection = await engine.connect()
                raw = await connection.get_raw_connection()
        except BaseException as error:
            await engine.dispose()
            if isinstance(error, OSError) and (fault := explain(error, location)):
                raise fault from error
            raise
        session = cls(location, engine, connection, raw.driver_connection)
        try:
            for setting in _SETTINGS:
                await session.do(setting)
            await session.call_itself(SPARE)
        except BaseException:
            await session.end()
            raise
        return session

    async def ask(self, question: str, *values: Any) -> Any:
        """Return the first column of the first row. Raises one of `LOST`."""
        with self._faults():
            async with self._one_question, asyncio.timeout(WITHIN):
                return await self._driver.fetchval(question, *values)

    async def do(self, statement: str) -> None:
        """Run a statement without an answer. Raises one of `LOST`."""
        with self._faults():
            async with self._one_question, asyncio.timeout(WITHIN):
                await self._driver.execute(statement)

    async def call_itself(self, what: str) -> None:
        """Have PostgreSQL show what this process is, followed by its name. Raises one of `LOST`."""
        await self.do(f"SET application_name = '{what} {process()}'")
        self.name = f"{what} {process()}"

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Make asyncpg's errors a `StoreError`; not everybody has that package, so it goes by its name."""
        try:
            yield
        except OSError as error:
            raise explain(error, self._location) or error from error
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "asyncpg":
                raise
            raise StoreUnavailable(f"{self._location} did not do what a shard needs: {error}") from error

    async def end(self) -> None:
        """Hang up: PostgreSQL gives the locks to whoever waits for them."""
        self._driver.terminate()  # a polite end would wait for who does not answer
        with suppress(*LOST):
            await self._connection.invalidate()
            await self._connection.close()
        await self._engine.dispose()


def process() -> str:
    """Return what this process is called, for `whatsit doctor`: its machine and its number there."""
    host = "".join(each for each in socket.gethostname() if each.isalnum() or each in "-.")[:24]
    return f"{host or 'unknown'} {os.getpid()}"
