"""Say hello once on each server that the bot joins, where it may write."""

from __future__ import annotations

import datetime
import logging

import discord
from discord.ext import commands

from bot.delivery.channel_permissions import FAILURES, permissions_in
from bot.i18n import languages
from bot.settings_ui.hello import hello
from bot.store import Store, StoreError

log = logging.getLogger(__name__)

NEW = datetime.timedelta(days=1)
"""A server that was joined longer ago, while the bot was away, is not greeted any more."""


class HelloCog(commands.Cog):
    """Greets new servers. Which were greeted is in the store, until the bot leaves them."""

    def __init__(self, client: discord.Client, store: Store) -> None:
        self._client = client
        self._store = store

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Greet a server that the bot has just joined."""
        await self._greet(guild)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Greet the servers that were joined while the bot was away."""
        since = discord.utils.utcnow() - NEW
        for guild in self._client.guilds:
            joined = None if guild.unavailable else guild.me.joined_at
            if joined is not None and joined >= since:
                await self._greet(guild)

    async def _greet(self, guild: discord.Guild) -> None:
        try:
            if not await self._store.notes.take_greeting(guild.id):
                return
            settings = await self._store.guilds.get(guild.id)
        except StoreError as error:
            log.warning(
                "The server %d is not greeted: whether it was already is not known. %s", guild.id, error
            )
            return
        first = [guild.system_channel] if guild.system_channel else []
        for channel in (*first, *guild.text_channels):
            if not permissions_in(channel, guild.me).send:
                continue
            text, view = hello(settings, channel, languages.of(settings.language, guild.preferred_locale))
            try:
                await channel.send(text, view=view)
            except FAILURES as failure:
                log.warning("The hello in the channel %d could not be sent: %s", channel.id, failure)
                continue
            return
        if guild.text_channels:
            log.warning(
                "I may write in no channel of the server %d. Give my role Send Messages in one, or invite me "
                "again with the link of `whatsit invite`.",
                guild.id,
            )
