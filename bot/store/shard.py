"""Which servers are one process's own, by Discord's rule for shards."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, literal_column, true
from sqlalchemy.sql.elements import SQLCoreOperations


class Shard(NamedTuple):
    """One of `total` shards, numbered from 0. Direct messages, which are in no server, are shard 0's."""

    number: int
    total: int

    def has(self, guild_id: int | None) -> bool:
        """Return whether a server, or with None direct messages, is this shard's."""
        return ((guild_id or 0) >> 22) % self.total == self.number

    def owns(self, guild_id: SQLCoreOperations[Any]) -> ColumnElement[bool]:
        """Return the condition for rows whose server is this shard's; `guild_id` is a table's column."""
        if self == WHOLE:
            return true()
        shifted = func.coalesce(guild_id, literal_column("0")).op(">>")(literal_column("22"))
        return shifted % literal_column(str(self.total)) == literal_column(str(self.number))


WHOLE = Shard(0, 1)
"""What the only process of a bot has: every server."""
