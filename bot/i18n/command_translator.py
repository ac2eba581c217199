"""Translate the names and descriptions of commands for Discord's own menus."""

from __future__ import annotations

import discord
from discord import app_commands

from bot import i18n


class CommandTranslator(app_commands.Translator):
    """Asks the language of each of Discord's locales."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,  # noqa: ARG002 - one sentence reads the same everywhere
    ) -> str | None:
        """Return the translation; None, for Discord to show the English, where there is none."""
        translated = i18n.languages.of(locale).gettext(string.message)
        return None if translated == string.message else translated
