"""No image forgotten: work is written down when it is accepted, and struck out when it is answered."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database, Write
from bot.store.faults import StoreError
from bot.store.retention import Retention
from bot.store.shard import WHOLE, Shard
from bot.store.tables import OpenInteraction, OpenMessage, StoredAnswer
from bot.store.upkeep_timer import UpkeepTimer

log = logging.getLogger(__name__)


class OpenWork:
    """What was accepted and is not answered yet. Each call returns when its change is safe from `kill -9`."""

    def __init__(self, database: Database, retention: Retention, now: Callable[[], datetime]) -> None:
        self._database = database
        self._retention = retention
        self._now = now
        self._timer = UpkeepTimer(self._expire, "store: expire")
        self._accept_message = database.insert(OpenMessage).on_conflict_do_nothing()
        self._accept_interaction = database.insert(OpenInteraction).on_conflict_do_nothing()
        self._answer = database.insert(StoredAnswer).on_conflict_do_nothing()
        self._strike_message = delete(OpenMessage).where(OpenMessage.message_id == bindparam("struck"))
        self._strike_interaction = delete(OpenInteraction).where(
            OpenInteraction.interaction_id == bindparam("struck")
        )
        self._know_response = (
            update(OpenInteraction)
            .where(OpenInteraction.interaction_id == bindparam("known"))
            .values(response_id=bindparam("response"))
        )

    async def accept_message(
        self, *, message_id: int, channel_id: int, guild_id: int | None, user_id: int, asked: bool = False
    ) -> None:
        """Note that a message's images are accepted. Again while it is open: nothing changes."""
        row = {"message_id": message_id, "channel_id": channel_id, "guild_id": guild_id, "user_id": user_id}
        await self._database.write(
            Write(self._accept_message, {**row, "asked": asked, "accepted_at": self._now()})
        )

    async def accept_interaction(
        self,
        *,
        interaction_id: int,
        application_id: int,
        token: str,
        channel_id: int | None,
        guild_id: int | None,
        user_id: int,
        images: Sequence[Mapping[str, Any]],
        options: Mapping[str, str | int | bool | None],
    ) -> None:
        """Note that an interaction's images are accepted, until it is answered or its token has expired."""
        row = {"interaction_id": interaction_id, "application_id": application_id, "token": token}
        row |= {"response_id": None, "channel_id": channel_id, "guild_id": guild_id, "user_id": user_id}
        row |= {"images": [dict(image) for image in images], "options": dict(options)}
        await self._database.write(Write(self._accept_interaction, {**row, "accepted_at": self._now()}))
        self._timer.start(self._retention.interactions.total_seconds())

    async def know_response(self, interaction_id: int, response_id: int) -> None:
        """Note the message of the deferred response, once Discord has told it."""
        await self._database.write(
            Write(self._know_response, {"known": interaction_id, "response": response_id})
        )

    async def answered(
        self,
        message_id: int,
        *,
        answer_id: int,
        channel_id: int,
        guild_id: int | None,
        user_id: int,
        images: int | None = None,
    ) -> None:
        """Strike a message out and remember its answer, both or neither.

        `channel_id` is the answer's; `guild_id` that channel's server; `user_id` who asked; `images` the
        fingerprint of those that are named.
        """
        row = {"source_id": message_id, "answer_id": answer_id, "channel_id": channel_id, "images": images}
        await self._database.write(
            Write(self._strike_message, {"struck": message_id}),
            Write(self._answer, {**row, "guild_id": guild_id, "user_id": user_id}),
        )

    async def strike_message(self, message_id: int) -> None:
        """Note that a message is done without an answer to remember, such as one that was deleted."""
        await self._database.write(Write(self._strike_message, {"struck": message_id}))

    async def strike_interaction(self, interaction_id: int) -> None:
        """Note that an interaction is answered, or cannot be any more; its token and addresses are erased."""
        await self._database.write(Write(self._strike_interaction, {"struck": interaction_id}))

    async def messages_since(self, when: datetime) -> Sequence[OpenMessage]:
        """Return this shard's open messages accepted at `when` or later, oldest first."""
        return await self._database.read(
            select(OpenMessage)
            .where(OpenMessage.accepted_at >= when, self._database.shard.owns(OpenMessage.guild_id))
            .order_by(OpenMessage.accepted_at)
        )

    async def interactions(self) -> Sequence[OpenInteraction]:
        """Return this shard's open interactions whose token still holds, oldest first."""
        expired = self._now() - self._retention.interactions
        return await self._database.read(
            select(OpenInteraction)
            .where(OpenInteraction.accepted_at > expired, self._database.shard.owns(OpenInteraction.guild_id))
            .order_by(OpenInteraction.accepted_at)
        )

    async def expire(self) -> None:
        """Erase what is too old of this shard, and again when the next interaction's token expires."""
        shard, now = self._database.shard, self._now()
        async with self._database.transaction() as connection:
            await self._delete_old(connection, shard)
            oldest = (
                await connection.execute(
                    select(func.min(OpenInteraction.accepted_at)).where(shard.owns(OpenInteraction.guild_id))
                )
            ).scalar()
        if oldest is not None:
            self._timer.start((oldest + self._retention.interactions - now).total_seconds())

    async def expire_everywhere(self) -> None:
        """Erase what is too old of all shards: some may be no process's now."""
        async with self._database.transaction() as connection:
            await self._delete_old(connection, WHOLE)

    async def _delete_old(self, connection: AsyncConnection, shard: Shard) -> None:
        now = self._now()
        for table, kept in (
            (OpenMessage, self._retention.messages),
            (OpenInteraction, self._retention.interactions),
        ):
            old = delete(table).where(table.accepted_at <= now - kept, shard.owns(table.guild_id))
            await connection.execute(old)

    async def close(self) -> None:
        """Stop waking up; what is open stays open."""
        await self._timer.close()

    async def _expire(self) -> None:
        try:
            await self.expire()
        except StoreError as error:
            log.warning("Expired interactions could not be erased; tried again in a minute. %s", error)
            self._timer.start(60)
