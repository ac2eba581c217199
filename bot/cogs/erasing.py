"""Servers, channels and threads that are gone, and what is kept of them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from datetime import timedelta

import discord
from discord.ext import commands

from bot.policy.erasure import Erasure
from bot.store import Store, StoreError
from bot.store.upkeep_timer import UpkeepTimer
from config.settings import Privacy

log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(hours=6)
"""How often it is looked for servers whose time is over, at least."""


class ErasingCog(commands.Cog):
    """Erases what Discord tells of, and at each new session the servers that were left meanwhile.

    A server that was left is erased when `privacy.keep_days` are over, counted from when that was seen; by
    default at once. If the bot is on it again by then, nothing is erased. Discord does not tell which
    archived threads go with their channel: what is kept of those goes when `bot.store.retention` says.
    """

    def __init__(self, client: discord.Client, store: Store, erasure: Erasure, privacy: Privacy) -> None:
        self._client = client
        self._store = store
        self._erasure = erasure
        self._keep = timedelta(days=privacy.keep_days)
        self._timer = UpkeepTimer(self._erase_again, "erasing: servers that were left")

    async def cog_unload(self) -> None:
        """Stop waking up; the next start goes on."""
        await self._timer.close()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Find the servers that removed the bot, or took it back, while it was away."""
        await self._try(self._compare(), "the servers that were left")

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Keep what is known of a server that has taken the bot back in time."""
        await self._try(self._store.departures.cancel(guild.id), f"the departure from the server {guild.id}")

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Erase a server that the bot has left, that has removed it, or that was deleted."""
        await self._try(self._left(guild.id), f"the server {guild.id}")

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Erase a channel, or a category."""
        await self._try(
            self._erasure.erase_channel(channel.guild.id, channel.id), f"the channel {channel.id}"
        )

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, thread: discord.RawThreadDeleteEvent) -> None:
        """Erase a thread or post, also one that is deleted with its channel."""
        erasing = self._erasure.erase_channel(thread.guild_id, thread.thread_id)
        await self._try(erasing, f"the thread {thread.thread_id}")

    async def _left(self, guild_id: int) -> None:
        if not self._keep:
            await self._erasure.erase_guild(guild_id)
            return
        await self._store.departures.note(guild_id)
        await self._erasure.leave_guild(guild_id)
        log.info("The server %d is left; it is forgotten in %d days.", guild_id, self._keep.days)
        self._timer.start(min(self._keep, LOOK_AGAIN).total_seconds())

    async def _compare(self) -> None:
        departures = await self._store.departures.all()
        for guild_id in await self._store.guild_ids():
            if not self._is_of_this_shard(guild_id):
                continue
            # READY lists every server of its shard, those that an outage hides too. Looked up now, not
            # before: meanwhile somebody may have invited the bot again.
            if self._client.get_guild(guild_id) is not None:
                if guild_id in departures:
                    await self._store.departures.cancel(guild_id)
            elif guild_id not in departures:
                log.info("The server %d removed the bot while it was away.", guild_id)
                await self._left(guild_id)
        await self._erase_due()

    async def _erase_due(self) -> None:
        """Erase the servers whose time is over, and look again when the next one's is."""
        now, waits = discord.utils.utcnow(), []
        for guild_id, left_at in (await self._store.departures.all()).items():
            left = left_at + self._keep - now
            if not self._is_of_this_shard(guild_id) or self._client.get_guild(guild_id) is not None:
                continue
            if left > timedelta(0):
                waits.append(left)
                continue
            await self._erasure.erase_guild(guild_id)
            log.info("The server %d was left long enough ago; it is forgotten.", guild_id)
        if waits:
            self._timer.start(min(*waits, LOOK_AGAIN).total_seconds())

    async def _erase_again(self) -> None:
        try:
            await self._erase_due()
        except StoreError as error:
            log.warning("The servers that were left could not be erased; tried again later. %s", error)
            self._timer.start(LOOK_AGAIN.total_seconds())

    def _is_of_this_shard(self, guild_id: int) -> bool:
        """Decide by Discord's rule; the other shards may be other processes on the same store."""
        return (guild_id >> 22) % (self._client.shard_count or 1) == (self._client.shard_id or 0)

    async def _try(self, erasing: Awaitable[None], what: str) -> None:
        try:
            await erasing
        except StoreError as error:
            log.warning("What is known of %s could not be erased. %s", what, error)
