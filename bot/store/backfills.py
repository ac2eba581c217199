"""Channels whose past is being read into the index, so that it goes on after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import bindparam, select, update

from bot.store.database import Database, Write
from bot.store.tables import Backfill

BackfillState = Literal["running", "stopped", "done"]


class Backfills:
    """One for each channel."""

    def __init__(self, database: Database) -> None:
        self._database = database
        insert = database.insert(Backfill)
        columns = [column.name for column in Backfill.__table__.c if column.name != "channel_id"]
        self._put = insert.on_conflict_do_update(
            index_elements=["channel_id"], set_={name: insert.excluded[name] for name in columns}
        )
        of_channel = Backfill.channel_id == bindparam("of")
        self._advance = (
            update(Backfill)
            .where(of_channel)
            .values(before_id=bindparam("before"), messages=bindparam("read"), images=bindparam("found"))
        )
        self._set_state = update(Backfill).where(of_channel).values(state=bindparam("now"))

    async def begin(
        self,
        *,
        channel_id: int,
        guild_id: int,
        before_id: int,
        messages: int,
        images: int,
        progress_channel_id: int,
        progress_message_id: int,
        language: str,
    ) -> None:
        """Note that a channel is read from the newest message before `before_id` on.

        `messages` and `images` are what an earlier reading has counted.
        """
        row = {"channel_id": channel_id, "guild_id": guild_id, "before_id": before_id, "language": language}
        row |= {"progress_channel_id": progress_channel_id, "progress_message_id": progress_message_id}
        row |= {"messages": messages, "images": images, "state": "running"}
        await self._database.write(Write(self._put, row))

    async def advance(self, channel_id: int, *, before_id: int, messages: int, images: int) -> None:
        """Note how far a channel is read."""
        values = {"of": channel_id, "before": before_id, "read": messages, "found": images}
        await self._database.write(Write(self._advance, values))

    async def set_state(self, channel_id: int, state: BackfillState) -> None:
        """Note that a channel is being read again, is stopped, or is read."""
        await self._database.write(Write(self._set_state, {"of": channel_id, "now": state}))

    async def of(self, channel_id: int) -> Backfill | None:
        """Return how far a channel is read; None if nobody asked for that."""
        found = await self._database.read(select(Backfill).where(Backfill.channel_id == channel_id))
        return found[0] if found else None

    async def running(self) -> Sequence[Backfill]:
        """Return all channels that are being read, of this shard's servers."""
        return await self._database.read(
            select(Backfill).where(Backfill.state == "running", self._database.shard.owns(Backfill.guild_id))
        )
