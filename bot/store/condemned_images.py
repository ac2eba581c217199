"""Pictures that killed a worker, so that no other process of the bot looks at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, select

from bot.store.changes import Change
from bot.store.database import Database
from bot.store.retention import Retention
from bot.store.tables import CondemnedImage

CONDEMNED_IMAGE: Final = CondemnedImage.__tablename__
"""Under this name processes tell each other the hash of a condemned picture, in hexadecimal digits."""
MAX_REASON = 300
"""Characters of a reason that are kept."""
NEWEST = 4096
"""Pictures that a process that starts is told: as many as it remembers."""


class CondemnedImages:
    """Each by a hash of its bytes under `Store.shared_key`."""

    def __init__(self, database: Database, retention: Retention, now: Callable[[], datetime]) -> None:
        self._database = database
        self._retention = retention
        self._now = now
        self._add = database.insert(CondemnedImage).on_conflict_do_nothing()

    async def add(self, digest: bytes, reason: str) -> None:
        """Keep a picture, and tell the other processes."""
        row = {"digest": digest, "reason": reason[:MAX_REASON], "condemned_at": self._now()}
        await self._database.write_many(self._add, [row], Change(CONDEMNED_IMAGE, digest.hex()))

    async def one(self, digest: bytes) -> CondemnedImage | None:
        """Return a picture that another process has told of; None if it is not kept any more."""
        found = await self._database.read(select(CondemnedImage).where(CondemnedImage.digest == digest))
        return found[0] if found else None

    async def newest(self) -> Sequence[CondemnedImage]:
        """Return the pictures that were condemned last, the newest first."""
        newest = select(CondemnedImage).order_by(CondemnedImage.condemned_at.desc()).limit(NEWEST)
        return await self._database.read(newest)

    def is_old(self) -> ColumnElement[bool]:
        """Return the condition for pictures that have been kept long enough."""
        return CondemnedImage.condemned_at <= self._now() - self._retention.condemned
