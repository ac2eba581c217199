"""Small things Whatsit remembers of itself."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, select

from bot.store.database import Database, Write
from bot.store.faults import StoreOfAnotherBot
from bot.store.shard import WHOLE
from bot.store.tables import Meta

GREETING = "greeting "
OWNER = "application"
REFUSALS = "refusals"
REFUSALS_SPAN = timedelta(minutes=10)
WRITABLE = "writable"


class Refusals(NamedTuple):
    """How many requests Discord refused, by status, in the ten minutes until a moment."""

    counts: Mapping[str, int]
    until: datetime


class Notes:
    """Text by key; for example the hash of the commands that Discord was last given."""

    def __init__(self, database: Database) -> None:
        self._database = database
        insert = database.insert(Meta)
        self._add = insert.on_conflict_do_nothing()
        self._set = insert.on_conflict_do_update(
            index_elements=["key"], set_={"value": insert.excluded.value}
        )

    async def get(self, key: str) -> str | None:
        """Return what was noted under a key; None if nothing was."""
        rows = await self._database.read(select(Meta).where(Meta.key == key))
        return rows[0].value if rows else None

    async def take_greeting(self, guild_id: int) -> bool:
        """Return whether the server was not greeted yet, and note that it is now."""
        key = _greeting(guild_id)
        if await self.get(key) is not None:
            return False
        await self.set(key, "said")
        return True

    async def take_model_notice(self, guild_id: int, kind: str) -> bool:
        """Return whether the server was not told yet that what it taught is of another model than `kind`.

        Note that it is now.
        """
        key = _notice(guild_id)
        if await self.get(key) == kind:
            return False
        await self.set(key, kind)
        return True

    async def forget_guild(self, guild_id: int) -> None:
        """Forget that a server was greeted, and what it was told; for when the bot has left it."""
        keys = (_greeting(guild_id), _notice(guild_id))
        await self._database.write(Write(delete(Meta).where(Meta.key.in_(keys)), {}))

    async def greeted(self) -> set[int]:
        """Return the ids of the servers of this shard that were greeted."""
        rows = await self._database.read(select(Meta).where(Meta.key.startswith(GREETING)))
        greeted = {int(row.key.removeprefix(GREETING)) for row in rows}
        return {guild_id for guild_id in greeted if self._database.shard.has(guild_id)}

    async def set_refusals(self, counts: Mapping[str, int], until: datetime) -> None:
        """Note how many requests Discord refused this shard of late, by status."""
        shard = self._database.shard
        key = REFUSALS if shard == WHOLE else f"{REFUSALS} {shard.number}"
        await self.set(key, json.dumps({"counts": dict(counts), "until": until.isoformat()}))

    async def refusals(self) -> Refusals | None:
        """Return what was noted last, by all shards together; None if Discord never refused anything."""
        rows = await self._database.read(select(Meta).where(Meta.key.startswith(REFUSALS)))
        noted = [json.loads(row.value) for row in rows]
        if not noted:
            return None
        last = max(datetime.fromisoformat(each["until"]) for each in noted)
        counts: Counter[str] = Counter()
        for each in noted:
            if datetime.fromisoformat(each["until"]) > last - REFUSALS_SPAN:
                counts.update(each["counts"])
        return Refusals(counts, last)

    async def secret(self, name: str) -> bytes:
        """Return a key of 32 bytes, which is made once for everybody who uses the store."""
        return bytes.fromhex(await self._first(name, secrets.token_hex(32)))

    async def claim(self, application_id: int) -> None:
        """Note that the processes of this application share the store. Raises `StoreOfAnotherBot`."""
        owner = await self._first(OWNER, str(application_id))
        if owner != str(application_id):
            raise StoreOfAnotherBot(owner)

    async def disclaim(self) -> None:
        """Let the processes of any application share the store next."""
        await self._database.write(Write(delete(Meta).where(Meta.key == OWNER), {}))

    async def _first(self, key: str, value: str) -> str:
        """Return what is noted under a key; if nothing is, note this."""
        if (known := await self.get(key)) is None:
            await self._database.write(Write(self._add, {"key": key, "value": value}))
            known = await self.get(key)  # what somebody else has just noted, perhaps
        return known or ""

    async def prove_writable(self) -> None:
        """Write something. Raises a `StoreError` where nothing can be written."""
        await self.set(WRITABLE, secrets.token_hex(4))

    async def set(self, key: str, value: str) -> None:
        """Note a text under a key, in place of what was noted before."""
        await self._database.write(Write(self._set, {"key": key, "value": value}))


def _greeting(guild_id: int) -> str:
    return f"{GREETING}{guild_id}"


def _notice(guild_id: int) -> str:
    return f"taught {guild_id}"
