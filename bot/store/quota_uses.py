"""How much of the owner's limits people have used on all shards together, for processes that share a store.

Each person has two buckets that leak: one for images, one for the processor. A bucket is kept as the moment
at which it will be empty, by the database's clock: what is used puts that off.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, text
from sqlalchemy.dialects import postgresql

from bot.store.database import Database
from bot.store.tables import QuotaUse

_NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_MANY = postgresql.ARRAY(BigInteger)
_ADD = text(
    f"""
    INSERT INTO quota_use AS kept (person, images_until, core_until)
    SELECT person, {_NOW} + images, {_NOW} + core
    FROM unnest(:people, :images, :core) AS used(person, images, core) ORDER BY person
    ON CONFLICT (person) DO UPDATE SET
        images_until = greatest(kept.images_until, {_NOW}) + excluded.images_until - {_NOW},
        core_until = greatest(kept.core_until, {_NOW}) + excluded.core_until - {_NOW}
    RETURNING person, greatest(images_until - {_NOW}, 0), greatest(core_until - {_NOW}, 0)
    """  # noqa: S608 - a constant
).bindparams(*(bindparam(name, type_=_MANY) for name in ("people", "images", "core")))
_SKEW = timedelta(hours=1)
"""By so much this machine's clock, by which is purged, may be ahead of the database's."""


class QuotaTime(NamedTuple):
    """What was used, in the seconds that it takes to leak away."""

    images: float = 0.0
    core: float = 0.0


class QuotaUses:
    """Of a PostgreSQL alone; a person's row says no id, but a hash of it under `key`."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self.key = b""

    async def add(self, used: Mapping[int, QuotaTime]) -> Mapping[int, QuotaTime]:
        """Add what people have used here; return what each of them has used everywhere.

        One statement for all of them. Raises a `StoreError`.
        """
        people = {self._hash(user_id): user_id for user_id in used}
        values = {
            "people": list(people),
            "images": [round(used[user_id].images * 1000) for user_id in people.values()],
            "core": [round(used[user_id].core * 1000) for user_id in people.values()],
        }
        async with self._database.transaction() as connection:
            rows = (await connection.execute(_ADD, values)).all()
        return {people[person]: QuotaTime(images / 1000, core / 1000) for person, images, core in rows}

    def is_old(self) -> ColumnElement[bool]:
        """Return the condition for rows of which nothing is left."""
        return and_(*(until < self._now() - _SKEW for until in (QuotaUse.images_until, QuotaUse.core_until)))

    def _hash(self, user_id: int) -> int:
        digest = hmac.digest(self.key, b"person %d" % user_id, "sha256")
        return int.from_bytes(digest[:8], signed=True)
