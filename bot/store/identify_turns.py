"""See that the processes of one bot begin sessions one after the other, as slowly as Discord wants it.

Discord takes one IDENTIFY in five seconds in each bucket. A process has its bucket's lock from before it
connects until its IDENTIFY is sent, and notes by PostgreSQL's clock when that was: so the next one waits long
enough also after one that was killed in between.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bot.store.shard_locks import AGAIN, ShardLocks
from bot.store.shard_session import LOST

SPACING = 5.5
"""Seconds between two IDENTIFYs of a bucket: Discord's five, and what one may be longer on its way."""

_TAKE = "SELECT pg_try_advisory_lock($1, $2)"
_LET_GO = "SELECT pg_advisory_unlock($1, $2)"
_STAMP = """INSERT INTO meta (key, value) VALUES ($1, extract(epoch FROM clock_timestamp())::text)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING value"""
_AGE = "SELECT extract(epoch FROM clock_timestamp())::float8 - value::float8 FROM meta WHERE key = $1"


class IdentifyTurns:
    """The turns of one process; it has one at a time."""

    def __init__(self, locks: ShardLocks) -> None:
        self._locks = locks
        self._bucket: int | None = None
        self._is_due = self._is_used = False

    async def wait(self, bucket: int) -> None:
        """Wait for this process's turn in a bucket; at once if it has come already."""
        while not self._is_due:
            try:
                await self._take(bucket)
            except LOST:  # whether the shard is lost too, `ShardLocks` finds out
                self._bucket = None
                await asyncio.sleep(AGAIN)
            else:
                self._is_due = True

    async def use(self) -> None:
        """Note that the IDENTIFY is about to be sent."""
        self._is_used = True
        await self._stamp()

    async def end(self) -> None:
        """Let the next process have its turn."""
        if self._is_used:
            await self._stamp()  # it is sent by now, and Discord's five seconds count from then
        if self._bucket is not None:
            with suppress(*LOST):
                await self._locks.session.ask(_LET_GO, self._locks.lock_class("identify"), self._bucket)
        self._bucket = None
        self._is_due = self._is_used = False

    async def _take(self, bucket: int) -> None:
        session, identify = self._locks.session, self._locks.lock_class("identify")
        while self._bucket is None:
            if await session.ask(_TAKE, identify, bucket):
                self._bucket = bucket
            else:
                await asyncio.sleep(AGAIN)
        age = await session.ask(_AGE, self._key(bucket))
        if age is not None and 0 <= age < SPACING:
            await asyncio.sleep(SPACING - age)  # nobody else identifies meanwhile: the bucket is ours

    async def _stamp(self) -> None:
        if self._bucket is not None:
            with suppress(*LOST):
                await self._locks.session.ask(_STAMP, self._key(self._bucket))

    def _key(self, bucket: int) -> str:
        return f"identify {self._locks.application_id} {bucket}"
