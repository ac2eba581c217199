"""`/help`: what the bot does, in its own words."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.policy.effective_settings import language_of
from bot.presentation.help_texts import help_text
from bot.store import Store


class HelpCog(commands.Cog):
    """Answers `/help`, for the asker's eyes only."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @app_commands.command(
        name=locale_str("help"), description=locale_str("What I do, and how to ask me about a picture")
    )
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.allowed_installs(guilds=True, users=True)
    async def help(self, interaction: discord.Interaction[Any]) -> None:
        """Say how to ask about a picture, and what can be set."""
        text = help_text(
            await language_of(self._store, interaction), manages=interaction.permissions.manage_guild
        )
        await interaction.response.send_message(text, ephemeral=True)
