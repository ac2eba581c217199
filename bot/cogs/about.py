"""`/about`: what the bot is, and where pictures go."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.answering.models import Models
from bot.policy.effective_settings import guild_settings, language_of
from bot.presentation.about_text import AboutFacts, about_text
from bot.settings_ui.setting_words import language_names
from bot.store import Store


class AboutCog(commands.Cog):
    """Tells whoever asks, and nobody else."""

    def __init__(self, store: Store, models: Models, source: str | None) -> None:
        """`source` is the address where this bot's source can be read, if its owner named one."""
        self._store = store
        self._models = models
        self._source = source
        self._version = version("whatsit")

    @app_commands.command(
        name=locale_str("about"), description=locale_str("What I am, and where your pictures go: nowhere")
    )
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.allowed_installs(guilds=True, users=True)
    async def about(self, interaction: discord.Interaction[Any]) -> None:
        """Say which version and model answer here, what holds them, and under which licence."""
        chosen = (await guild_settings(self._store, interaction.guild_id)).model
        facts = AboutFacts(
            self._version, self._models.info_of(chosen), language_names().values(), self._source
        )
        text = about_text(facts, await language_of(self._store, interaction))
        await interaction.response.send_message(text, ephemeral=True)
