"""What a press in the panel of a server's settings does: one small change, saved and shown at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import discord

from bot.i18n import Language
from bot.presses.errors import InteractionRefused, PressOutdated
from bot.presses.press import Press, PressHandler
from bot.settings_ui.guild_panel import ALL, FORMS, OVERVIEW, PANEL, SURE, GuildPanel
from bot.settings_ui.setting_faults import MANAGERS_ONLY, SENTENCES
from bot.settings_ui.setting_values import from_form, from_menu, from_pick, guild_id_of, present
from bot.settings_ui.setting_words import SettingWords
from bot.settings_ui.settings_import import SettingsImport
from bot.store import FIELDS, PAGES, GuildSettings
from bot.store.chosen_settings import Choices


def may_manage(interaction: discord.Interaction[Any]) -> bool:
    """Tell whether this person may manage the server, as Discord says with this very interaction."""
    return interaction.permissions.manage_guild


class GuildPanelPresses(PressHandler):
    """Handles the panel's presses, and those of an offer to import a file."""

    panel = PANEL
    sentences = SENTENCES

    def __init__(
        self,
        *,
        guilds: Choices[GuildSettings],
        words: Callable[[Language], SettingWords],
        imports: SettingsImport,
    ) -> None:
        self._guilds = guilds
        self._words = words
        self._imports = imports

    def check(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:  # noqa: ARG002
        """Refuse whoever may not manage the server: a panel outlives a demotion."""
        if not may_manage(interaction):
            raise InteractionRefused(language.gettext(MANAGERS_ONLY))

    async def act(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:
        """Do what was pressed, and show the page as it stands then. If it raises, nothing has changed."""
        words, guild_id, page = self._words(language), guild_id_of(interaction), press.what
        match press.verb:
            case "apply":
                await self._imports.apply(interaction, words, press.what)
                return
            case "cancel":
                await self._imports.cancel(interaction, words)
                return
            case "ask" if page in FORMS:
                form = GuildPanel(words, await self._guilds.get(guild_id)).form(page)
                await interaction.response.send_modal(form)
                return
            case "open" | "back" if page in (*PAGES, OVERVIEW, SURE):
                settings = await self._guilds.get(guild_id)
            case "set" if page in FIELDS:
                settings = await self._guilds.update(guild_id, await from_menu(interaction, words, press))
                page = FIELDS[page].page
            case "list" if page in FIELDS:
                settings = await self._guilds.update(guild_id, from_pick(press))
                page = FIELDS[page].page
            case "typed" if page in FORMS:
                settings = await self._guilds.update(guild_id, await from_form(interaction, words, press))
                page = FORMS[page][1][0].page
            case "reset" if page in (*PAGES, ALL):
                settings = await self._guilds.reset(guild_id, PAGES.get(page))
                page = OVERVIEW if page == ALL else page
            case _:
                raise PressOutdated(press)
        panel = GuildPanel(words, present(interaction, settings))
        await interaction.response.edit_message(view=panel.page(page))
