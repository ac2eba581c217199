"""What Discord does with shards: which events each gets, and how often they may identify."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["WHOLE", "IdentifyLimit", "ShardOf", "id_of_shard"]


class ShardOf(NamedTuple):
    """One shard of `total`, as IDENTIFY names it."""

    number: int
    total: int

    def has(self, guild_id: str | None) -> bool:
        """Whether it is told of this server, or (None) of direct messages."""
        return self.number == (0 if guild_id is None else (int(guild_id) >> 22) % self.total)

    def gets(self, event: str, data: dict[str, Any]) -> bool:
        """Whether it is told of an event. A whole bot is told of everything, also of what is odd."""
        if self.total == 1:
            return True
        is_guild = event in ("GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE")
        return self.has(data.get("id" if is_guild else "guild_id"))


WHOLE = ShardOf(0, 1)
"""What a bot without shards is told of: everything."""


def id_of_shard(snowflake: str, shard: ShardOf) -> str:
    """Return the nearest earlier id that is of this shard."""
    moment = int(snowflake) >> 22
    moment -= (moment - shard.number) % shard.total
    return str(moment << 22 | int(snowflake) % (1 << 22))


@dataclass
class IdentifyLimit:
    """How often the bot may identify: once in `seconds` in each of `max_concurrency` buckets, and `remaining`
    times until `reset_after` seconds are over.

    `enforced`: what comes too early is refused with opcode 9, and the token is reset when none remain.
    `breaches` are counted in any case, and `times` tells when each shard identified.
    """

    max_concurrency: int = 1
    seconds: float = 5.0
    total: int = 1000
    remaining: int = 1000
    reset_after: float = 86_400.0
    enforced: bool = False
    breaches: int = 0
    times: list[tuple[float, int]] = field(default_factory=list)
    _last: dict[int, float] = field(default_factory=dict)

    @property
    def used_up(self) -> bool:
        """Whether Discord resets the token now."""
        return self.enforced and self.remaining <= 0

    def as_told(self) -> dict[str, int]:
        """Return it as `GET /gateway/bot` does."""
        return {
            "total": self.total,
            "remaining": max(0, self.remaining),
            "reset_after": int(self.reset_after * 1000),
            "max_concurrency": self.max_concurrency,
        }

    def takes(self, shard_id: int) -> bool:
        """Count an IDENTIFY; return whether it is taken."""
        bucket, now = shard_id % self.max_concurrency, time.monotonic()
        self.remaining -= 1
        self.times.append((now, shard_id))
        if now - self._last.get(bucket, -self.seconds) < self.seconds:
            self.breaches += 1
            return not self.enforced
        self._last[bucket] = now
        return True
