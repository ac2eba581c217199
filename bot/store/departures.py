"""Which servers the bot has left, and since when, while their data is kept a little longer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from bot.store.database import Database, Write
from bot.store.tables import DepartedGuild


class Departures:
    """Written when a departure is seen, struck out when the bot is on the server again or all is erased."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        insert = database.insert(DepartedGuild)
        self._add = insert.on_conflict_do_update(
            index_elements=["guild_id"], set_={"left_at": insert.excluded.left_at}
        )
        self._strike = delete(DepartedGuild).where(DepartedGuild.guild_id == bindparam("back"))

    async def note(self, guild_id: int) -> None:
        """Note that the bot has left a server now; an earlier departure no longer counts."""
        await self._database.write(Write(self._add, {"guild_id": guild_id, "left_at": self._now()}))

    async def cancel(self, guild_id: int) -> None:
        """Note that the bot is on the server after all."""
        await self._database.write(Write(self._strike, {"back": guild_id}))

    async def all(self) -> Mapping[int, datetime]:
        """Return when the bot left each of these servers of this shard, as far as it was seen."""
        own = self._database.shard.owns(DepartedGuild.guild_id)
        rows = await self._database.read(select(DepartedGuild).where(own))
        return {row.guild_id: row.left_at for row in rows}
