"""Servers, channels and threads that are gone, and what is kept of them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable

import discord
from discord.ext import commands

from bot.intake.read_positions import ReadPositions
from bot.store import Store, StoreError

log = logging.getLogger(__name__)


class ErasingCog(commands.Cog):
    """Erases at once what Discord tells of, and at each new session the servers that were left meanwhile.

    Discord does not tell which archived threads go with their channel: what is kept of those goes when
    `bot.store.retention` says.
    """

    def __init__(self, client: discord.Client, store: Store, positions: ReadPositions) -> None:
        self._client = client
        self._store = store
        self._positions = positions

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Erase the servers that removed the bot while it was away."""
        await self._try(self._erase_left(), "the servers that were left")

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Erase a server that the bot has left, that has removed it, or that was deleted."""
        await self._try(self._erase_guild(guild.id), f"the server {guild.id}")

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Erase a channel, or a category."""
        await self._try(self._erase_channel(channel.guild.id, channel.id), f"the channel {channel.id}")

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, thread: discord.RawThreadDeleteEvent) -> None:
        """Erase a thread or post, also one that is deleted with its channel."""
        erasing = self._erase_channel(thread.guild_id, thread.thread_id)
        await self._try(erasing, f"the thread {thread.thread_id}")

    async def _erase_left(self) -> None:
        for guild_id in await self._store.guild_ids():
            # READY lists every server of its shard, those that an outage hides too. Looked up now, not
            # before: meanwhile somebody may have invited the bot again.
            if self._is_of_this_shard(guild_id) and self._client.get_guild(guild_id) is None:
                await self._erase_guild(guild_id)
                log.info("The server %d removed the bot while it was away; it is forgotten.", guild_id)

    def _is_of_this_shard(self, guild_id: int) -> bool:
        """Decide by Discord's rule; the other shards may be other processes on the same store."""
        return (guild_id >> 22) % (self._client.shard_count or 1) == (self._client.shard_id or 0)

    async def _erase_guild(self, guild_id: int) -> None:
        self._positions.forget_guild(guild_id)
        await self._store.erase_guild(guild_id)

    async def _erase_channel(self, guild_id: int, channel_id: int) -> None:
        self._positions.forget_channel(channel_id)
        await self._store.erase_channel(guild_id, channel_id)

    async def _try(self, erasing: Awaitable[None], what: str) -> None:
        try:
            await erasing
        except StoreError as error:
            log.warning("What is known of %s could not be erased. %s", what, error)
