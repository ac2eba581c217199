"""How a member wants to be treated: in every server, in direct messages, and wherever they use Whatsit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.app_commands import Choice, Range, locale_str
from discord.ext import commands

from bot.delivery.interaction_responses import say
from bot.i18n import Language
from bot.panel import here
from bot.panel.controls import Press, choices, matching
from bot.panel.faults import explain
from bot.panel.member import DEFAULT, PANEL, MemberPanel, obey
from bot.panel.pressing import usable_language
from bot.panel.words import DELIVERY, language_names
from bot.policy.in_force import language_of, own_language
from bot.presentation.errors import LEAVING

if TYPE_CHECKING:
    from bot.client import Whatsit

    Interaction = discord.Interaction[Whatsit]

__all__ = ["Preferences"]


class Preferences(commands.Cog):
    """Everybody has their own; nobody sees another's."""

    def __init__(self, bot: Whatsit) -> None:
        self.bot = bot

    @app_commands.command(
        name=locale_str("preferences"), description=locale_str("How I treat you, and what I know about you")
    )
    @app_commands.describe(
        language=locale_str("The language I speak with you"),
        answers=locale_str("How my answers reach you"),
        leave_alone=locale_str("Look at none of the images you post, whoever asks"),
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
            change["language"] = None if language == DEFAULT else language
            usable_language(here.words(self.bot, await self._language(interaction)), change["language"])
        if answers is not None:
            change["delivery"] = answers.value
        if leave_alone is not None:
            change["leave_alone"] = leave_alone
        now = await self.bot.store.members.update(interaction.user.id, change)
        page = MemberPanel(own_language(now, interaction.locale), now).page()
        await interaction.response.send_message(view=page, ephemeral=True)

    @preferences.autocomplete("language")
    async def _languages(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        usual = (await self._language(interaction)).gettext("As my Discord is")
        return matching({DEFAULT: usual, **language_names()}, typed)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        """A press in a panel of this run or an earlier one."""
        press = Press.of(interaction, PANEL)
        if press is None:
            return
        language = await self._language(interaction)
        if self.bot.stopping:
            await say(interaction, language.gettext(LEAVING))
            return
        with self.bot.in_hand():
            try:
                await obey(self.bot.store, interaction, press)
            except Exception as error:  # noqa: BLE001 - `explain` logs whole what nobody foresaw
                await explain(interaction, error, language)

    async def cog_app_command_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError
    ) -> None:
        """One sentence for whoever asked."""
        await explain(interaction, error, await self._language(interaction))

    async def _language(self, interaction: discord.Interaction[Any]) -> Language:
        return await language_of(self.bot.store, interaction)
