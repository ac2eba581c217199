"""Find what the store holds of one person, server or channel: by its columns, so that no table is forgotten.

A table whose rows belong to somebody says so in a column that is named `user_id`, `guild_id` or `channel_id`.
That is all it has to do to be counted, exported and erased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Delete, Table, Update, delete, func, select, union, update

from bot.store.database import Database
from bot.store.tables import (
    Base,
    GuildSetting,
    MemberPreference,
    StoredAnswer,
    TaughtExample,
)

CHOICES = frozenset({GuildSetting.__tablename__, MemberPreference.__tablename__})
"""Erased by `Choices`, which keep a copy in memory."""
OTHER_CHANNELS = frozenset({"place_id", "listed_id", "progress_channel_id"})
"""Columns that hold a channel besides `channel_id`: with either of them gone, the row goes."""
LINKS = ("channel_id", "message_id")
"""Of a row that only links to a channel (`TaughtExample`), what goes with the channel; the row stays."""
SECRET_COLUMNS = frozenset({"token"})
"""Of a person's rows, what is not shown to the person either: whoever has it can answer in the bot's name."""


def tables_with(column: str) -> Sequence[Table]:
    """Return the tables that have this column, by name."""
    return [table for name, table in sorted(Base.metadata.tables.items()) if column in table.c]


class PersonalData:
    """Counts, reads and deletes rows by whose they are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, user_id: int) -> dict[str, int]:
        """Return how many rows of each table are a person's, by the table's name."""
        found = {}
        for table in tables_with("user_id"):
            query = select(func.count()).select_from(table).where(table.c.user_id == user_id)
            (found[table.name],) = await self._database.read(query)
        return found

    async def rows(self, user_id: int) -> dict[str, list[dict[str, Any]]]:
        """Return a person's rows of each table, by the table's name and its columns', but for secrets."""
        found = {}
        for table in tables_with("user_id"):
            columns = [column for column in table.c if column.name not in SECRET_COLUMNS]
            query = select(*columns).where(table.c.user_id == user_id).order_by(*table.primary_key)
            found[table.name] = [row._asdict() for row in await self._database.read_rows(query)]
        return found

    async def guild_ids(self) -> set[int]:
        """Return the servers of this shard of which anything is kept."""
        tables = tables_with("guild_id")
        kept = union(*(select(table.c.guild_id) for table in tables)).subquery().c.guild_id
        own = self._database.shard.owns(kept)
        return set(await self._database.read(select(kept).where(kept.is_not(None), own)))

    async def erase_user(self, user_id: int) -> int:
        """Delete a person's rows in all tables but those of `CHOICES`; return how many there were."""
        return await self._erase((table, table.c.user_id == user_id) for table in tables_with("user_id"))

    async def erase_guild(self, guild_id: int) -> int:
        """Delete a server's rows in all tables but those of `CHOICES`; return how many there were."""
        return await self._erase((table, table.c.guild_id == guild_id) for table in tables_with("guild_id"))

    async def erase_channel(self, channel_id: int) -> int:
        """Delete a channel's rows in all tables, and links to it; return how many there were."""
        return await self._erase(
            ((table, _of_channel(table, channel_id)) for table in tables_with("channel_id")), _without_channel
        )

    async def _erase(
        self,
        whose: Iterable[tuple[Table, ColumnElement[bool]]],
        erasing: Callable[[Table], Delete | Update] = delete,
    ) -> int:
        await self._database.settled()  # or what is still being written would come after
        deleted = 0
        async with self._database.transaction() as connection:
            for table, condition in whose:
                if table.name not in CHOICES:
                    deleted += (await connection.execute(erasing(table).where(condition))).rowcount
        return deleted


def _without_channel(table: Table) -> Delete | Update:
    if table.name == TaughtExample.__tablename__:
        return update(table).values(dict.fromkeys(LINKS))
    return delete(table)


def _of_channel(table: Table, channel_id: int) -> ColumnElement[bool]:
    found: ColumnElement[bool] = table.c.channel_id == channel_id
    for name in OTHER_CHANNELS & {column.name for column in table.c}:
        found = found | (table.c[name] == channel_id)
    if table.name == StoredAnswer.__tablename__:
        # An answer is younger than its channel: that spares a search through all the older ones.
        return found & (table.c.answer_id > channel_id)
    return found
