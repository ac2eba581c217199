"""What goes with a server, a channel or a thread: all that is kept of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING

import discord
from discord.ext import commands

from bot.store import StoreError

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = ["Erasing"]

log = logging.getLogger(__name__)


class Erasing(commands.Cog):
    """Erases at once what Discord tells of, and at each new session the servers that were left unheard.

    Discord does not tell which archived threads go with their channel: what is kept of those goes when
    `bot.store.retention` says.
    """

    def __init__(self, bot: Whatsit) -> None:
        self.bot = bot

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Erase the servers that removed the bot while it was away."""
        await self._tried(self._erase_left(), "servers that were left")

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot has left, or was removed, or the server was deleted."""
        await self._tried(self._erase_guild(guild.id), f"the server {guild.id}")

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """A channel, or a category."""
        await self._tried(self._erase_channel(channel.guild.id, channel.id), f"the channel {channel.id}")

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, thread: discord.RawThreadDeleteEvent) -> None:
        """A thread or post, also one that goes with its channel."""
        erasing = self._erase_channel(thread.guild_id, thread.thread_id)
        await self._tried(erasing, f"the thread {thread.thread_id}")

    async def _erase_left(self) -> None:
        for guild_id in await self.bot.store.guild_ids():
            # READY lists every server of its shard, those that an outage hides too. Looked up now, not
            # before: meanwhile somebody may have invited the bot again.
            if self._is_of_this_shard(guild_id) and self.bot.get_guild(guild_id) is None:
                await self._erase_guild(guild_id)
                log.info("The server %d removed the bot while it was away; it is forgotten.", guild_id)

    def _is_of_this_shard(self, guild_id: int) -> bool:
        """By Discord's rule; the other shards may be other processes on the same store."""
        return (guild_id >> 22) % (self.bot.shard_count or 1) == (self.bot.shard_id or 0)

    async def _erase_guild(self, guild_id: int) -> None:
        self.bot.ledger.forget_guild(guild_id)
        await self.bot.store.erase_guild(guild_id)

    async def _erase_channel(self, guild_id: int, channel_id: int) -> None:
        self.bot.ledger.forget_channel(channel_id)
        await self.bot.store.erase_channel(guild_id, channel_id)

    async def _tried(self, erasing: Awaitable[None], what: str) -> None:
        try:
            await erasing
        except StoreError as error:
            log.warning("What is known of %s could not be erased. %s", what, error)
