"""What may change what the bot is allowed to do: then channels that refused it are tried again."""

from __future__ import annotations

import discord
from discord.ext import commands

from bot.connection.closed_channels import ClosedChannels


class PermissionChangesCog(commands.Cog):
    """Hears of roles, overwrites and members; a change counts for all channels of its server."""

    def __init__(self, channels: ClosedChannels) -> None:
        self._channels = channels

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Try again in a new session, which may have missed a change, and after an outage."""
        self._reopen(guild)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Forget the channels of a server that the bot has left."""
        self._reopen(guild)

    @commands.Cog.listener()
    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """Try again when a role allows something else."""
        if before.permissions != after.permissions:
            self._reopen(after.guild)

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """Try again when a role is gone: overwrites for it go with it."""
        self._reopen(role.guild)

    @commands.Cog.listener()
    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        """Try again when the bot itself is given or loses a role, or its time-out changes."""
        if after == after.guild.me and (before.roles, before.timed_out_until) != (
            after.roles,
            after.timed_out_until,
        ):
            self._reopen(after.guild)

    @commands.Cog.listener()
    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        """Try again when the overwrites of a channel change, or it moves to another category."""
        if (before.overwrites, before.category) != (after.overwrites, after.category):
            self._reopen(after.guild)

    @commands.Cog.listener()
    async def on_thread_update(self, before: discord.Thread, after: discord.Thread) -> None:
        """Try again when a thread is unlocked or taken out of the archive."""
        if (before.locked, before.archived) != (after.locked, after.archived):
            self._channels.reopen({after.id})

    def _reopen(self, guild: discord.Guild) -> None:
        self._channels.reopen({channel.id for channel in (*guild.channels, *guild.threads)})
