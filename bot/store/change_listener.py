"""Changes by PostgreSQL's LISTEN and NOTIFY, over a connection of their own.

A change is told in the transaction that makes it, so it is heard when it holds, within milliseconds, and not
at all where it does not. What is told while the connection is lost is not heard later: so from its loss
until it is there again nothing that other processes may change is kept in memory.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.store.changes import Change, Changes
from bot.store.faults import StoreError

log = logging.getLogger(__name__)

CHANNEL = "whatsit"
PROVE_EVERY = 2.0
"""Seconds between two proofs that the connection still stands: a network that is cut says nothing."""
PROVE_WITHIN = 1.0
AGAIN = 0.5
"""Seconds between two tries to connect again."""
_NOTIFY = text("SELECT pg_notify(:channel, :payload)")


class ChangeListener(Changes):
    """Belongs to the event loop on which it was started. `engine` is its own, and is closed with it."""

    is_shared = True

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__()
        self.is_heard = False
        self._engine = engine
        self._own = secrets.token_hex(4)
        self._connection: AsyncConnection | None = None
        self._lost = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._context = copy_context()

    async def announce(self, connection: AsyncConnection, changes: Iterable[Change]) -> None:
        for change in changes:
            payload = f"{change.what} {change.id} {self._own}"
            await connection.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})

    async def start(self) -> None:
        await self._listen()
        self._keeping = asyncio.get_running_loop().create_task(
            self._keep_listening(), name="store: listen", context=self._context
        )

    async def close(self) -> None:
        self.is_heard = False
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        await self._hang_up()
        await self._engine.dispose()

    async def _listen(self) -> None:
        self._lost.clear()
        self._connection = await self._engine.connect()
        driver = await self._driver()
        driver.add_termination_listener(lambda _: self._lost.set())
        await driver.add_listener(CHANNEL, self._hear)
        self.is_heard = True
        self.drop_all()  # what was read before may be old

    async def _driver(self) -> Any:
        """Return asyncpg's own connection."""
        if self._connection is None:
            raise RuntimeError("there is no connection to listen on")
        return (await self._connection.get_raw_connection()).driver_connection

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        what, told, sender = str(payload).split(" ")
        if sender != self._own:
            self._hand_out(what, told)

    async def _keep_listening(self) -> None:
        while True:
            await self._until_lost()
            self.is_heard = False
            self.drop_all()
            log.warning(
                "What other processes change cannot be heard now, so settings are read for each picture."
            )
            await self._hang_up()
            while not self.is_heard:
                await asyncio.sleep(AGAIN)
                try:
                    await self._listen()
                except Exception as error:  # noqa: BLE001 - asyncpg's own, or ours: it is tried again in any case
                    log.debug("Changes cannot be heard yet: %s", type(error).__name__)
                    await self._hang_up()
            log.info("What other processes change is heard again.")

    async def _until_lost(self) -> None:
        driver = await self._driver()
        while not self._lost.is_set():
            try:
                async with asyncio.timeout(PROVE_EVERY):
                    await self._lost.wait()
            except TimeoutError:
                try:
                    async with asyncio.timeout(PROVE_WITHIN):
                        await driver.fetchval("SELECT 1")
                except Exception as error:  # noqa: BLE001 - whatever it is, nothing can be relied on
                    log.debug("The connection for changes is lost: %s", type(error).__name__)
                    return

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError, StoreError):  # it may have broken by itself meanwhile
                driver: Any = (await connection.get_raw_connection()).driver_connection
                driver.terminate()  # a polite end would wait for who does not answer
                await connection.invalidate()
            await connection.close()
