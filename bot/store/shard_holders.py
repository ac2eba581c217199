"""Tell who has which shard, from what the processes call themselves to PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import text

from bot.store.database import connect
from bot.store.location import Location
from bot.store.shard_session import SPARE

_PROCESSES = text(
    "SELECT application_name FROM pg_stat_activity "
    "WHERE datname = current_database() AND application_name LIKE 'whatsit s%'"
)
_HOLDER = re.compile(r"whatsit shard (\d+) of (\d+) (.+) (\d+)")


class ShardHolders(NamedTuple):
    """By the number of each shard that is held, the machine and the number of its process there."""

    held: Mapping[int, str]
    total: int
    spares: int


async def shard_holders(location: Location) -> ShardHolders:
    """Ask PostgreSQL. `total` is 0 where no process has a shard. Raises a `StoreError`."""
    engine = connect(location, pooled=False)
    try:
        async with engine.connect() as connection:
            names = [str(name) for name in (await connection.execute(_PROCESSES)).scalars()]
    finally:
        await engine.dispose()
    found = [match for name in names if (match := _HOLDER.fullmatch(name))]
    return ShardHolders(
        {int(match[1]): f"{match[3]} (process {match[4]})" for match in found},
        max((int(match[2]) for match in found), default=0),
        sum(name.startswith(SPARE) for name in names),
    )
