"""Erase everything of one person, server or channel: the one place that knows all the others."""

from __future__ import annotations

from collections.abc import Sequence

from bot.erasable_memory import ErasableMemory
from bot.store import Store
from bot.work_in_hand import WorkInHand


class Erasure:
    """Ends the work in hand, forgets what is in memory, and then deletes what is in the store.

    In this order, so that no work writes something down again. Raises a `StoreError` where the store fails;
    then it can be asked again. How much of the limits somebody has used stays counted until it would be free
    again, which is minutes (`bot.policy.quota`): else to be forgotten would be a way around them.
    """

    def __init__(self, store: Store, work: WorkInHand, memories: Sequence[ErasableMemory]) -> None:
        self._store = store
        self._work = work
        self.memories = tuple(memories)

    async def erase_user(self, user_id: int, *, with_wish: bool) -> None:
        """Forget a person. `with_wish`: also that they want their pictures left alone, if they do."""
        await self._work.stop(user_id)
        for memory in self.memories:
            memory.forget_user(user_id)
        await self._store.erase_user(user_id, with_wish=with_wish)

    async def leave_guild(self, guild_id: int) -> None:
        """End what is going on in a server that the bot has left; what is chosen and known of it stays."""
        await self._work.stop(guild_id)
        for memory in self.memories:
            memory.forget_guild(guild_id)
        await self._store.seen.forget_guild(guild_id)
        self._store.guilds.forget(guild_id)

    async def erase_guild(self, guild_id: int) -> None:
        """Forget a server that the bot has left."""
        await self.leave_guild(guild_id)
        await self._store.erase_guild(guild_id)

    async def erase_channel(self, guild_id: int, channel_id: int) -> None:
        """Forget a channel or thread that is deleted."""
        for memory in self.memories:
            memory.forget_channel(channel_id)
        await self._store.erase_channel(guild_id, channel_id)
