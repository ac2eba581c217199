"""A person's quota on all shards together, at the price of no query before an answer.

A person who is in servers of many shards has a `Quota` in each of their processes. Each process tells the
store what was used, a second after the first use and in one statement for everybody, and learns from the same
statement what all of them have used.

So whoever asks on several shards within one second gets up to two bursts on each of them, once. What is too
much is a debt, which leaks away at the owner's rate and is waited for everywhere: over a longer time it is no
more than the rate. A static share for each shard would instead have given nearly everybody, who is on one
shard, a fraction of what the owner grants.
"""

from __future__ import annotations

import logging

from bot.policy.quota import Quota
from bot.store import StoreError
from bot.store.quota_uses import QuotaTime, QuotaUses
from bot.store.upkeep_timer import UpkeepTimer

log = logging.getLogger(__name__)

TELL_AFTER = 1.0
"""Seconds from somebody's use until the store is told of all that was used meanwhile."""
MOST_WAITING = 10_000
"""People whose use waits to be told, while the store cannot be used; others' use is not shared then."""


class SharedQuota:
    """Keeps a `Quota` and the store told of each other."""

    def __init__(self, quota: Quota, uses: QuotaUses) -> None:
        self._quota = quota
        self._uses = uses
        self._untold: dict[int, QuotaTime] = {}
        self._timer = UpkeepTimer(self._tell_soon, "quota: tell what was used")
        quota.on_use = self._note

    def _note(self, user_id: int, used: QuotaTime) -> None:
        if user_id in self._untold or len(self._untold) < MOST_WAITING:
            before = self._untold.get(user_id, QuotaTime())
            self._untold[user_id] = QuotaTime(before.images + used.images, before.core + used.core)
        self._timer.start(TELL_AFTER)

    async def tell(self) -> None:
        """Tell the store what was used here, and the quota what was used in all. Raises a `StoreError`."""
        untold, self._untold = self._untold, {}
        if not untold:
            return
        try:
            everywhere = await self._uses.add(untold)
        except StoreError:
            for user_id, used in untold.items():
                self._note(user_id, used)
            raise
        for user_id, used in everywhere.items():
            self._quota.used_elsewhere(user_id, used)

    async def close(self) -> None:
        """Tell what is left, and stop. Raises a `StoreError`."""
        await self._timer.close()
        await self.tell()

    async def _tell_soon(self) -> None:
        try:
            await self.tell()
        except StoreError as error:
            log.warning("What people have used of their limits could not be shared; tried again. %s", error)
