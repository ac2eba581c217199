"""Hold a store for one bot: two on the same store would answer everything twice.

Whoever holds it holds it by a lock that ends with the process, `kill -9` too: a lock of the operating system
beside the SQLite file, or a lock of a PostgreSQL session. So a bot that is started again at once gets it.
"""

from __future__ import annotations

import asyncio
import time
from typing import Self

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.store.database import connect
from bot.store.faults import StoreInUse
from bot.store.location import Location

WITHIN = 3.0
"""Seconds that are waited for the lock of a bot that was just killed; PostgreSQL hears of it later."""
AGAIN = 0.2
STORE_LOCK = 0x7768_6174_7369_75
"""A number that nobody else is likely to lock; one more than that of `bot.store.upgrading`."""
_KEEPALIVE = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
"""So that the lock of a machine that has lost its power or its network ends within half a minute."""


class StoreLease:
    """Held from `take` to `release`. A PostgreSQL that is restarted ends it, and it is not taken again."""

    def __init__(self, location: Location) -> None:
        """Use `take`."""
        self._location = location
        self._file: FileLock | None = None
        self._engine: AsyncEngine | None = None
        self._session: AsyncConnection | None = None

    @classmethod
    async def take(cls, location: Location) -> Self:
        """Take the store for this process. Raises `StoreInUse` if another bot has it."""
        lease = cls(location)
        end = time.monotonic() + WITHIN
        try:
            while not await lease._try():
                if time.monotonic() > end:
                    raise StoreInUse(location)  # noqa: TRY301 - the lock is let go of below
                await asyncio.sleep(AGAIN)
        except BaseException:
            await lease.release()
            raise
        return lease

    async def release(self) -> None:
        """Let another bot have the store."""
        if self._file is not None:
            self._file.release()
        if self._session is not None:
            await self._session.close()
        if self._engine is not None:
            await self._engine.dispose()

    async def _try(self) -> bool:
        if self._location.file is not None:
            return await asyncio.to_thread(self._lock_file)
        if self._session is None:
            self._engine = connect(self._location, pooled=False)
            self._session = await self._engine.connect()
            self._session = await self._session.execution_options(isolation_level="AUTOCOMMIT")
            for setting in _KEEPALIVE.split(";"):
                await self._session.execute(text(setting))
        return bool(
            (
                await self._session.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": STORE_LOCK})
            ).scalar()
        )

    def _lock_file(self) -> bool:
        if self._file is None:
            self._file = FileLock(f"{self._location.file}.lock", mode=0o600, thread_local=False)
        try:
            self._file.acquire(timeout=0)
        except Timeout:
            return False
        return True
