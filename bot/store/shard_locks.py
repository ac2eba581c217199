"""Share the shards of one bot among its processes, by locks of a PostgreSQL.

Each process asks for any shard that nobody has; whoever finds none waits, as a spare. All go by one number of
shards, which the first of them has said, and which stands until the last of them has ended.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from contextlib import suppress
from typing import Self

from bot.store.faults import StoreInUse
from bot.store.lease import STORE_LOCK, WITHIN
from bot.store.location import Location
from bot.store.shard import Shard
from bot.store.shard_session import LOST, ShardSession

log = logging.getLogger(__name__)

AGAIN = 0.1
"""Seconds between two tries to get what somebody else has."""
BEAT = 1.0
"""Seconds between two proofs that the shard is still held."""
GRACE = 5.0
"""Seconds for which a holder that has lost its connection tries to get its own shard back, and for which the
others leave it to it: a PostgreSQL that was restarted has forgotten all locks. With `BEAT` and the time for
an answer this ends before PostgreSQL gives up a machine that it cannot reach (`bot.store.shard_session`), so
that a holder stops before another one begins."""
RELEASED = 1.0
"""Seconds within which PostgreSQL ends a connection that it was told to end."""

_SHARE_STORE = "SELECT pg_try_advisory_lock_shared($1)"
_TAKE = "SELECT pg_try_advisory_lock($1, $2)"
_SHARE = "SELECT pg_try_advisory_lock_shared($1, $2)"
_LET_GO = "SELECT pg_advisory_unlock($1, $2)"
_TAKE_ANY = """SELECT number FROM generate_series(0, $2 - 1) AS number
    WHERE pg_try_advisory_lock($1, number) LIMIT 1"""
_NOTE = """INSERT INTO meta (key, value) VALUES ($1, $2)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING value"""
_NOTED = "SELECT value FROM meta WHERE key = $1"
_IS_YOUNG = "SELECT clock_timestamp() - pg_postmaster_start_time() < make_interval(secs => $1)"
_END_OWN = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = $1 AND application_name = $2"""


class ShardCountDiffers(Exception):
    """Other processes of the bot run with another number of shards."""

    def __init__(self, told: int, running: int) -> None:
        super().__init__(
            f"The other processes of this bot run {running} shards, and this one was told {told}. Start it "
            f"with --shards {running} or auto; or, to change the number, stop all of them, also those that "
            f"wait, and start all with --shards {told}."
        )


class ShardLocks:
    """The locks of one process, from `open` to `close`. `lost` is set once its shard is no longer its own."""

    def __init__(self, location: Location) -> None:
        """Use `open`."""
        self._location = location
        self._session: ShardSession | None = None
        self._told = self._recommended = 0
        self.application_id = 0
        self._keeping: asyncio.Task[None] | None = None
        self.shard: Shard | None = None
        self.total = 0
        """How many shards there are, once that is agreed."""
        self.lost = asyncio.Event()

    @classmethod
    async def open(cls, location: Location) -> Self:
        """Share the store with the bot's other processes, and keep out whoever wants it alone.

        Raises `StoreInUse` where somebody has it alone, and else one of `LOST`.
        """
        locks = cls(location)
        try:
            locks._session = await locks._begin()
        except BaseException:
            await locks.close()
            raise
        return locks

    @property
    def session(self) -> ShardSession:
        """The connection that has the locks now."""
        if self._session is None:
            raise RuntimeError("the locks are not open")
        return self._session

    def lock_class(self, what: str) -> int:
        """Return the number of a kind of locks, of which two bots on one database have two."""
        return lock_class(what, self.application_id)

    async def agree(self, application_id: int, recommended: int, told: int | None) -> int:
        """Return the number of shards by which all processes of this bot go.

        It is what runs already; else `told`, and where nothing was told, what Discord recommends. Raises
        `ShardCountDiffers` where something else was told than runs, and one of `LOST`.
        """
        self.application_id, self._recommended, self._told = application_id, recommended, told or 0
        await self._leave_to_holders()
        self.total = await self._agreed(self.session)
        return self.total

    async def take(self) -> Shard:
        """Wait for a shard that nobody has, and hold it from then on. Raises `ShardCountDiffers`."""
        is_said = False
        while True:
            try:
                number = await self.session.ask(_TAKE_ANY, self.lock_class("shards"), self.total)
                if number is not None:
                    shard = Shard(number, self.total)
                    await self.session.call_itself(_called(shard))
                    break
            except LOST:
                await self._connect_again()
                continue
            if not is_said:
                is_said = True
                log.info("All %d shards are held; this process is a spare and waits for one.", self.total)
            await asyncio.sleep(AGAIN)
        self.shard = shard
        self._keeping = asyncio.create_task(self._keep(shard), name="store: keep the shard")
        return shard

    async def close(self) -> None:
        """Let another process have the shard, at once."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        if self._session is not None:
            await self._session.end()
        self.shard = None

    async def _begin(self) -> ShardSession:
        session = await ShardSession.begin(self._location)
        end = time.monotonic() + WITHIN
        try:
            while not await session.ask(_SHARE_STORE, STORE_LOCK):
                if time.monotonic() > end:
                    raise StoreInUse(self._location)  # noqa: TRY301 - the connection is closed below
                await asyncio.sleep(AGAIN)
        except BaseException:
            await session.end()
            raise
        return session

    async def _agreed(self, session: ShardSession) -> int:
        count, key = self.lock_class("shard count"), f"shards {self.application_id}"
        while True:
            if await session.ask(_TAKE, count, 0):  # nobody else runs: this process says how many
                total = self._told or self._recommended
                await session.ask(_NOTE, key, str(total))
                await session.ask(_SHARE, count, 0)
                await session.ask(_LET_GO, count, 0)
                return total
            if await session.ask(_SHARE, count, 0):
                total = int(await session.ask(_NOTED, key))
                if self._told and total != self._told:
                    raise ShardCountDiffers(self._told, total)
                return total
            await asyncio.sleep(AGAIN)  # somebody is about to say it

    async def _leave_to_holders(self) -> None:
        while await self.session.ask(_IS_YOUNG, GRACE):  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(AGAIN)

    async def _connect_again(self) -> None:
        """Connect as a spare, which has nothing to lose, and leave the shards to who had them."""
        log.warning("The connection to the store is lost. This process waits for it, and then for a shard.")
        await self.session.end()
        while True:
            await asyncio.sleep(GRACE)
            try:
                self._session = await self._begin()
                self.total = await self._agreed(self._session)
            except LOST as error:
                log.warning("The store cannot be reached: %s", error or type(error).__name__)
                await self.session.end()
            else:
                log.info("The store is there again.")
                return

    async def _keep(self, shard: Shard) -> None:
        while await self._is_held() or await self._is_regained(shard):
            pass
        self.shard = None
        self.lost.set()

    async def _is_held(self) -> bool:
        """Wait for the next beat, or until the connection is lost; return whether the locks still hold."""
        session = self.session
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT):
                await session.lost.wait()
        if session.lost.is_set():
            return False
        try:
            return bool(await session.ask("SELECT pg_backend_pid()") == session.pid)
        except LOST:
            return False

    async def _is_regained(self, shard: Shard) -> bool:
        """Try to get the shard back before anybody else may have it."""
        log.warning("The connection that holds shard %d is lost; trying to get it back.", shard.number)
        before = self.session
        await before.end()
        try:
            async with asyncio.timeout(GRACE):
                while True:
                    try:
                        return await self._retake(shard, before)
                    except LOST:
                        await asyncio.sleep(AGAIN)
        except TimeoutError:
            return False

    async def _retake(self, shard: Shard, before: ShardSession) -> bool:
        session = await ShardSession.begin(self._location)
        is_back = False
        try:
            await session.ask(_END_OWN, before.pid, before.name)  # where it has not noticed yet
            end = time.monotonic() + RELEASED
            while not await session.ask(_TAKE, self.lock_class("shards"), shard.number):
                if time.monotonic() > end:
                    return False
                await asyncio.sleep(AGAIN)
            is_back = (
                await session.ask(_SHARE_STORE, STORE_LOCK) and await self._agreed(session) == self.total
            )
        except ShardCountDiffers:
            return False
        finally:
            if not is_back:
                await session.end()
        if is_back:
            self._session = session
            log.info("Shard %d is held again.", shard.number)
        return is_back


def _called(shard: Shard) -> str:
    return f"whatsit shard {shard.number} of {shard.total}"


def lock_class(what: str, application_id: int) -> int:
    """Return the number of a kind of locks of one bot, of 31 bits, as PostgreSQL takes and shows it."""
    digest = hashlib.blake2b(f"whatsit {what} {application_id}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) >> 1
