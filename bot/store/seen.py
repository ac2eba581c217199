"""The last message seen in each channel, so that a restart knows where to look for what it missed."""

from __future__ import annotations

import logging

from sqlalchemy import bindparam, delete, select

from bot.store.database import Database, Write
from bot.store.faults import StoreError
from bot.store.tables import Cursor
from bot.store.upkeep_timer import UpkeepTimer

log = logging.getLogger(__name__)

FLUSH_AFTER = 30.0
"""Seconds that a cursor may be behind on disk: a crash costs a second look at what came in them."""


class Seen:
    """Cursors of servers' channels and threads. They only move forward; `saw` costs no query."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._new: dict[int, tuple[int, int]] = {}  # by channel: guild, message
        self._timer = UpkeepTimer(self._flush, "store: flush")
        insert = database.insert(Cursor)
        self._write = insert.on_conflict_do_update(
            index_elements=["channel_id"],
            set_={"message_id": insert.excluded.message_id},
            where=insert.excluded.message_id > Cursor.message_id,
        )
        self._forget = delete(Cursor).where(Cursor.channel_id == bindparam("gone"))
        self._forget_guild = delete(Cursor).where(Cursor.guild_id == bindparam("gone"))

    def saw(self, guild_id: int, channel_id: int, message_id: int) -> None:
        """Note that a message was seen. That is written within `FLUSH_AFTER` seconds, many at once."""
        if message_id > self._new.get(channel_id, (0, 0))[1]:
            self._new[channel_id] = (guild_id, message_id)
        self._timer.start(FLUSH_AFTER)

    async def of(self, guild_id: int) -> dict[int, int]:
        """Return the last message seen in each channel of a server."""
        rows = await self._database.read(select(Cursor).where(Cursor.guild_id == guild_id))
        found = {row.channel_id: row.message_id for row in rows}
        for channel_id, (guild, message_id) in self._new.items():
            if guild == guild_id:
                found[channel_id] = max(message_id, found.get(channel_id, 0))
        return found

    async def forget_channel(self, channel_id: int) -> None:
        """Drop a channel or thread that is gone."""
        self._new.pop(channel_id, None)
        await self._database.write(Write(self._forget, {"gone": channel_id}))

    def new_guilds(self) -> set[int]:
        """Return the servers of what is not written yet."""
        return {guild_id for guild_id, _ in self._new.values()}

    async def forget_guild(self, guild_id: int) -> None:
        """The bot is no longer on this server."""
        self._new = {channel: seen for channel, seen in self._new.items() if seen[0] != guild_id}
        await self._database.write(Write(self._forget_guild, {"gone": guild_id}))

    async def flush(self) -> None:
        """Write what is new."""
        new, self._new = self._new, {}
        rows = [
            {"channel_id": channel_id, "guild_id": guild_id, "message_id": message_id}
            for channel_id, (guild_id, message_id) in new.items()
        ]
        try:
            await self._database.write_many(self._write, rows)
        except StoreError:
            self._new = {**new, **self._new}  # for the next time
            raise

    async def close(self) -> None:
        """Write what is new, and stop."""
        await self._timer.close()
        await self.flush()

    async def _flush(self) -> None:
        try:
            await self.flush()
        except StoreError as error:
            log.warning("The last messages seen could not be written; tried again in a minute. %s", error)
            self._timer.start(60)
