"""What people chose, one row a field, cached: for servers and for members."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from cachetools import LRUCache
from pydantic import BaseModel, ValidationError
from sqlalchemy import Executable, bindparam, delete, select

from bot.store.changes import Change
from bot.store.database import Database
from bot.store.settings_file import InvalidSettings, faults_in
from bot.store.tables import Choice

log = logging.getLogger(__name__)

M = TypeVar("M", bound=BaseModel)


class Choices(Generic[M]):
    """The choices of everybody in one table, each read once and then kept in memory; changes go to both.

    Only fields that somebody changed are rows. So whoever changed nothing follows the owner's defaults, also
    when these change later, and two who change different fields at once do not undo each other.

    What another process on the database has changed is forgotten, and read anew (`bot.store.changes`).
    """

    def __init__(
        self,
        database: Database,
        table: type[Choice],
        defaults: M,
        *,
        limit: int | None = None,
        on_change: Callable[[int, M], Awaitable[None]] | None = None,
    ) -> None:
        """`limit`: how many are kept in memory; the longest unused go first.

        `on_change` is told what stands after a change that is kept.
        """
        self._database = database
        self._table = table
        self._key = next(iter(table.__table__.primary_key))  # guild_id or user_id; the other is the field
        self._defaults = defaults
        self._on_change = on_change
        self._known: LRUCache[int, M] = LRUCache(math.inf if limit is None else limit)
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        insert = database.insert(table)
        self._set = insert.on_conflict_do_update(
            index_elements=[self._key.name, "field"], set_={"value": insert.excluded.value}
        )
        self._unset = delete(table).where(
            self._key == bindparam("of"), table.__table__.c.field == bindparam("named")
        )
        self._unset_all = delete(table).where(self._key == bindparam("of"))
        self._forgotten = 0
        database.changes.on(table.__tablename__, self.forget)
        database.changes.on_gap(self.forget_all)

    @property
    def defaults(self) -> M:
        """What holds for whoever chose nothing."""
        return self._defaults

    async def get(self, key: int) -> M:
        """Return the choices of this server or member. Only the first time does this query the database."""
        return self._known.get(key) or await self._load(key)

    async def update(self, key: int, changes: Mapping[str, Any] | Callable[[M], Mapping[str, Any]]) -> M:
        """Change the fields named and no others; return what stands afterwards.

        `changes` may be a function from what stands to what is to be changed; no other change comes between.
        Raises `InvalidSettings`, and then nothing has changed.
        """
        async with self._lock(key):
            before = await self._standing(key)
            wanted = dict(changes(before) if callable(changes) else changes)
            try:
                after = type(before).model_validate({**before.model_dump(), **wanted})
            except ValidationError as error:
                raise InvalidSettings(faults_in(error)) from error
            values = after.model_dump(mode="json")
            rows = [{self._key.name: key, "field": field, "value": values[field]} for field in wanted]
            return await self._replace(key, after, self._set, rows)

    async def reset(self, key: int, fields: Collection[str] | None = None) -> M:
        """Put these fields, or all, back to the defaults; return what stands afterwards."""
        async with self._lock(key):
            before = await self._standing(key)
            if fields is None:  # also what an older Whatsit may have left
                return await self._replace(key, self._defaults, self._unset_all, [{"of": key}])
            after = before.model_copy(update={field: getattr(self._defaults, field) for field in fields})
            rows = [{"of": key, "named": field} for field in fields]
            return await self._replace(key, after, self._unset, rows)

    async def erase(self, key: int, *, but: Collection[str] = ()) -> int:
        """Delete what this server or member chose, except these fields; return how many rows were deleted.

        Unlike `reset` this leaves nothing of them in memory.
        """
        rows = delete(self._table).where(self._key == key, self._table.__table__.c.field.not_in(but or [""]))
        async with self._lock(key):
            self.forget(key)
            async with self._database.transaction() as connection:
                deleted = (await connection.execute(rows)).rowcount
                await self._database.changes.announce(connection, [self._change(key)])
            self.forget(key)
        return deleted

    def forget(self, key: int) -> None:
        """Drop what is in memory, so that the next `get` reads the database."""
        self._forgotten += 1
        self._known.pop(key, None)

    def forget_all(self) -> None:
        """Drop all that is in memory."""
        self._forgotten += 1
        self._known.clear()

    async def _load(self, key: int) -> M:
        async with self._lock(key):  # else a slow reader could put an old value over a new one
            if (known := self._known.get(key)) is not None:
                return known
            before = self._forgotten
            found = await self._read(key)
            self._keep(key, found, before)
            return found

    async def _standing(self, key: int) -> M:
        """Return what is to be changed: what another process has just changed is not known here yet."""
        known = None if self._database.changes.is_shared else self._known.get(key)
        return known or await self._read(key)

    def _keep(self, key: int, found: M, before: int) -> None:
        """Keep in memory what was found, unless it was forgotten since `before`, or may be without a word."""
        if self._forgotten == before and self._database.changes.is_heard:
            self._known[key] = found

    def _change(self, key: int) -> Change:
        return Change(self._table.__tablename__, key)

    async def _read(self, key: int) -> M:
        rows = await self._database.read(select(self._table).where(self._key == key))
        found = self._defaults
        for row in rows:
            try:
                found = type(found).model_validate({**found.model_dump(), row.field: row.value})
            except ValidationError as error:
                log.warning(
                    "%s %s: the stored %s is not usable, so its default holds until it is set anew: %s",
                    self._key.name, key, row.field, "; ".join(map(str, faults_in(error))),
                )  # fmt: skip
        return found

    async def _replace(
        self, key: int, after: M, statement: Executable, rows: Sequence[Mapping[str, Any]]
    ) -> M:
        self.forget(key)  # whatever interrupts this, the next reader finds what the database holds
        before = self._forgotten
        await self._database.write_many(statement, rows, self._change(key))
        self._keep(key, after, before)
        if self._on_change is not None:
            await self._on_change(key, after)
        return after

    def _lock(self, key: int) -> asyncio.Lock:
        lock = self._locks.get(key)
        if lock is None:
            self._locks[key] = lock = asyncio.Lock()
        return lock
