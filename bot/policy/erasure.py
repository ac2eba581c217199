"""Erase everything of one person, server or channel: the one place that knows all the others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from bot.erasable_memory import ErasableMemory
from bot.store import Store
from bot.store.changes import Change
from bot.work_in_hand import WorkInHand

FORGET_USER: Final = "forget_user"
FORGET_GUILD: Final = "forget_guild"
"""Under these names processes that share a store tell each other whom to forget."""
HEARD_WITHIN = 1.0
"""Seconds in which other processes have heard whom to forget, and have written what they had in hand."""


class Erasure:
    """Ends the work in hand, forgets what is in memory, and then deletes what is in the store.

    In this order, so that no work writes something down again. Raises a `StoreError` where the store fails;
    then it can be asked again. How much of the limits somebody has used stays counted until it would be free
    again, which is minutes (`bot.policy.quota`): else to be forgotten would be a way around them.

    Other processes on the store are told first, and end their work and forget likewise (`hear_user`). One
    that had a person's work in hand deletes once more: it may have written something down meanwhile.
    """

    def __init__(self, store: Store, work: WorkInHand, memories: Sequence[ErasableMemory]) -> None:
        self._store = store
        self._work = work
        self.memories = tuple(memories)

    async def erase_user(self, user_id: int, *, with_wish: bool) -> None:
        """Forget a person. `with_wish`: also that they want their pictures left alone, if they do."""
        await self._store.tell(Change(FORGET_USER, user_id))
        await self._end_work(user_id)
        if self._store.changes.is_shared:
            await asyncio.sleep(HEARD_WITHIN)
        await self._store.erase_user(user_id, with_wish=with_wish)

    async def hear_user(self, user_id: int) -> None:
        """Forget a person whom another process erases."""
        if await self._end_work(user_id):
            await self._store.erase_user(user_id, with_wish=False)

    async def hear_guild(self, guild_id: int) -> None:
        """Forget a server that the bot has left, which another process has seen."""
        await self.leave_guild(guild_id)

    def hear_gap(self) -> None:
        """Forget all people: what other processes told of whom to forget could not be heard for a while."""
        for memory in self.memories:
            memory.forget_everyone()

    async def _end_work(self, user_id: int) -> int:
        """End a person's work and forget them in memory; return how many pieces of work that were."""
        ended = await self._work.stop(user_id)
        for memory in self.memories:
            memory.forget_user(user_id)
        return ended

    async def leave_guild(self, guild_id: int) -> None:
        """End what is going on in a server that the bot has left; what is chosen and known of it stays."""
        await self._work.stop(guild_id)
        for memory in self.memories:
            memory.forget_guild(guild_id)
        await self._store.seen.forget_guild(guild_id)
        self._store.guilds.forget(guild_id)

    async def erase_guild(self, guild_id: int) -> None:
        """Forget a server that the bot has left."""
        await self._store.tell(Change(FORGET_GUILD, guild_id))
        await self.leave_guild(guild_id)
        await self._store.erase_guild(guild_id)

    async def erase_channel(self, guild_id: int, channel_id: int) -> None:
        """Forget a channel or thread that is deleted."""
        for memory in self.memories:
            memory.forget_channel(channel_id)
        await self._store.erase_channel(guild_id, channel_id)
