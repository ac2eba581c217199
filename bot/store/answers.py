"""Which answer belongs to which message, so that whoever deletes a picture takes its answer along."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, select, update

from bot.store.database import Database
from bot.store.tables import StoredAnswer

CHUNK = 500
"""Ids in one query: both databases bound the parameters of a statement."""


class StoredAnswers:
    """Written by `OpenWork.answered` and here for what was never open; kept for `Retention.answers`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._add = database.insert(StoredAnswer).on_conflict_do_nothing()
        self._forget = delete(StoredAnswer).where(StoredAnswer.answer_id == bindparam("gone"))
        self._forget_source = delete(StoredAnswer).where(
            StoredAnswer.source_id == bindparam("source"), StoredAnswer.answer_id == bindparam("answer")
        )
        self._revise = (
            update(StoredAnswer)
            .where(
                StoredAnswer.source_id == bindparam("source"), StoredAnswer.answer_id == bindparam("answer")
            )
            .values(images=bindparam("now"))
        )

    async def add(
        self,
        *,
        source_ids: Iterable[int],
        answer_id: int,
        channel_id: int,
        guild_id: int | None,
        user_id: int,
        images: int | None = None,
    ) -> None:
        """Note one answer to these messages (a merged answer answers several)."""
        rest = {"answer_id": answer_id, "channel_id": channel_id, "guild_id": guild_id, "user_id": user_id}
        rest |= {"images": images}
        await self._database.write_many(
            self._add, [{"source_id": source_id, **rest} for source_id in source_ids]
        )

    async def to(self, source_ids: Iterable[int]) -> Sequence[StoredAnswer]:
        """Return the answers to any of these messages; empty if there are none."""
        ids = list(source_ids)
        found: list[StoredAnswer] = []
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            found += await self._database.read(select(StoredAnswer).where(StoredAnswer.source_id.in_(chunk)))
        return found

    async def since(self, answer_id: int) -> Sequence[StoredAnswer]:
        """Return this shard's answers since the moment of this id; an id tells when its message was made."""
        return await self._database.read(
            select(StoredAnswer).where(
                StoredAnswer.answer_id >= answer_id, self._database.shard.owns(StoredAnswer.guild_id)
            )
        )

    async def sources(self, answer_id: int) -> Sequence[StoredAnswer]:
        """Return one row for each message that this answer answers; empty if it is not known (any more)."""
        return await self._database.read(
            select(StoredAnswer).where(StoredAnswer.answer_id == answer_id).order_by(StoredAnswer.source_id)
        )

    async def revise(self, source_id: int, answer_id: int, images: int) -> None:
        """Note that this answer names other images of this message now."""
        await self._database.write_many(
            self._revise, [{"source": source_id, "answer": answer_id, "now": images}]
        )

    async def forget_sources(self, answer_id: int, source_ids: Iterable[int]) -> None:
        """Note that a merged answer no longer answers these messages."""
        await self._database.write_many(
            self._forget_source, [{"source": source_id, "answer": answer_id} for source_id in source_ids]
        )

    async def forget(self, *answer_ids: int) -> None:
        """Note that these answers are deleted."""
        await self._database.write_many(self._forget, [{"gone": answer_id} for answer_id in answer_ids])
