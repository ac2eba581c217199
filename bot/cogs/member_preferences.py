"""How a member wants to be treated: in every server, in direct messages, and wherever they use Whatsit."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice, Range, locale_str
from discord.ext import commands

from bot.components.controls import choices, matching_choices
from bot.policy.effective_settings import language_of
from bot.presses.errors import explain
from bot.settings_ui.member_panel import DELIVERY, MemberPanel
from bot.settings_ui.setting_faults import SENTENCES
from bot.settings_ui.setting_values import usable_language
from bot.settings_ui.setting_words import DEFAULT, language_names
from bot.store import Store

Interaction = discord.Interaction[Any]


class MemberPreferencesCog(commands.Cog):
    """Everybody has their own preferences; nobody sees another's."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @app_commands.command(name=locale_str("preferences"), description=locale_str("Your preferences"))
    @app_commands.describe(
        language=locale_str("The language I use with you"),
        answers=locale_str("How my answers reach you"),
        leave_alone=locale_str("Never look at the pictures you post, no matter who asks"),
    )
    @app_commands.choices(answers=choices(DELIVERY))
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.allowed_installs(guilds=True, users=True)
    async def preferences(
        self,
        interaction: Interaction,
        language: Range[str, 1, 100] | None = None,
        answers: Choice[str] | None = None,
        leave_alone: bool | None = None,
    ) -> None:
        """Change what is given, and open the panel that shows how it stands."""
        change: dict[str, Any] = {}
        if language is not None:
            change["language"] = usable_language(language, await language_of(self._store, interaction))
        if answers is not None:
            change["delivery"] = answers.value
        if leave_alone is not None:
            change["leave_alone"] = leave_alone
        now = await self._store.members.update(interaction.user.id, change)
        page = MemberPanel(await language_of(self._store, interaction), now).page()
        await interaction.response.send_message(view=page, ephemeral=True)

    @preferences.autocomplete("language")
    async def _languages(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        usual = (await language_of(self._store, interaction)).gettext("Same as my Discord")
        return matching_choices({DEFAULT: usual, **language_names()}, typed)

    async def cog_app_command_error(
        self, interaction: Interaction, error: app_commands.AppCommandError
    ) -> None:
        """Say one sentence to whoever asked."""
        await explain(interaction, error, await language_of(self._store, interaction), SENTENCES)
