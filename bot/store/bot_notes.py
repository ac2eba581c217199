"""Small things Whatsit remembers of itself."""

from __future__ import annotations

from sqlalchemy import select

from bot.store.database import Database, Write
from bot.store.tables import Meta

__all__ = ["Notes"]


class Notes:
    """Text by key; for example the hash of the commands that Discord was last given."""

    def __init__(self, database: Database) -> None:
        self._database = database
        insert = database.insert(Meta)
        self._set = insert.on_conflict_do_update(
            index_elements=["key"], set_={"value": insert.excluded.value}
        )

    async def get(self, key: str) -> str | None:
        rows = await self._database.read(select(Meta).where(Meta.key == key))
        return rows[0].value if rows else None

    async def set(self, key: str, value: str) -> None:
        await self._database.write(Write(self._set, {"key": key, "value": value}))
