"""`/privacy`: what is kept of a member, a copy of it, and to have it forgotten."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.policy.effective_settings import language_of
from bot.presses.errors import explain
from bot.settings_ui.privacy_export import PrivacyExport
from bot.settings_ui.privacy_panel import PRIVACY_SENTENCES, PrivacyPanel
from bot.store import Store

Interaction = discord.Interaction[Any]


@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
@app_commands.allowed_installs(guilds=True, users=True)
class PrivacyCog(
    commands.GroupCog,
    group_name=locale_str("privacy"),
    group_description=locale_str("What I keep about you, and how to have it sent or forgotten"),
):
    """Everybody is told of themselves alone."""

    def __init__(self, store: Store, export: PrivacyExport) -> None:
        super().__init__()
        self._store = store
        self._export = export

    @app_commands.command(name=locale_str("show"), description=locale_str("What I keep about you"))
    async def show(self, interaction: Interaction) -> None:
        """Say in plain words what is kept of the asker."""
        panel = await PrivacyPanel.of(self._store, interaction)
        await interaction.response.send_message(view=panel.page(), ephemeral=True)

    @app_commands.command(
        name=locale_str("export"), description=locale_str("Get a copy of everything I keep about you")
    )
    async def export(self, interaction: Interaction) -> None:
        """Send the asker a file by direct message."""
        await self._export.send(interaction, await language_of(self._store, interaction))

    @app_commands.command(
        name=locale_str("delete"), description=locale_str("Have me forget everything about you")
    )
    async def delete(self, interaction: Interaction) -> None:
        """Ask whether everything is to be forgotten; nothing is until the button is pressed."""
        panel = await PrivacyPanel.of(self._store, interaction)
        await interaction.response.send_message(view=panel.sure(), ephemeral=True)

    async def cog_app_command_error(
        self, interaction: Interaction, error: app_commands.AppCommandError
    ) -> None:
        """Say one sentence to whoever asked."""
        await explain(interaction, error, await language_of(self._store, interaction), PRIVACY_SENTENCES)
