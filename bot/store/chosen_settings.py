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

from bot.store.database import Database
from bot.store.settings_file import InvalidSettings, faults_in
from bot.store.tables import Choice

log = logging.getLogger(__name__)

M = TypeVar("M", bound=BaseModel)


class Choices(Generic[M]):
    """The choices of everybody in one table, each read once and then kept in memory; changes go to both.

    Only fields that somebody changed are rows. So whoever changed nothing follows the owner's defaults, also
    when these change later, and two who change different fields at once do not undo each other.

    Several processes on one database: `forget` what another process changed, and it is read anew.
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
            before = self._known.get(key) or await self._read(key)
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
            before = self._known.get(key) or await self._read(key)
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
            self.forget(key)
        return deleted

    def forget(self, key: int) -> None:
        """Drop what is in memory, so that the next `get` reads the database."""
        self._known.pop(key, None)

    async def _load(self, key: int) -> M:
        async with self._lock(key):  # else a slow reader could put an old value over a new one
            found = self._known.get(key) or await self._read(key)
            self._known[key] = found
            return found

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
        await self._database.write_many(statement, rows)
        self._known[key] = after
        if self._on_change is not None:
            await self._on_change(key, after)
        return after

    def _lock(self, key: int) -> asyncio.Lock:
        lock = self._locks.get(key)
        if lock is None:
            self._locks[key] = lock = asyncio.Lock()
        return lock
