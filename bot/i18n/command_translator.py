"""Translate commands for Discord's own menus: their descriptions and choices, and the names of their options.

Commands keep their English names in every language: people write them to each other, and sentences of the bot
name them. An option's name is seen only by whoever fills it in.
"""

from __future__ import annotations

from typing import Final

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation

from bot import i18n
from bot.i18n import NC_, OPTION

_NAMES: Final = (
    *(NC_("option", "picture"), NC_("option", "picture2"), NC_("option", "picture3")),
    *(NC_("option", "picture4"), NC_("option", "picture5")),
    *(NC_("option", "top"), NC_("option", "private"), NC_("option", "dm")),
    *(NC_("option", "watch"), NC_("option", "add"), NC_("option", "remove")),
    *(NC_("option", "ignore"), NC_("option", "unignore"), NC_("option", "index"), NC_("option", "unindex")),
    *(NC_("option", "reposts"), NC_("option", "no_reposts"), NC_("option", "text"), NC_("option", "image")),
    *(NC_("option", "channel"),),
    *(NC_("option", "answer"), NC_("option", "emoji")),
    *(NC_("option", "min_confidence"), NC_("option", "model"), NC_("option", "language")),
    *(NC_("option", "style"), NC_("option", "more"), NC_("option", "dm_button"), NC_("option", "feedback")),
    *(NC_("option", "alt_text"), NC_("option", "delete"), NC_("option", "why")),
    *(NC_("option", "member"), NC_("option", "server"), NC_("option", "exempt"), NC_("option", "limit")),
    *(NC_("option", "settings"), NC_("option", "file"), NC_("option", "answers")),
    *(NC_("option", "leave_alone"), NC_("option", "statistics")),
    *(NC_("option", "label"), NC_("option", "teacher"), NC_("option", "unteacher")),
    *(NC_("option", "name"), NC_("option", "into"), NC_("option", "teach")),
)
"""All of them, for `make docs` to find: discord.py takes them from the parameters of functions."""


class CommandTranslator(app_commands.Translator):
    """Asks the language of each of Discord's locales."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Return the translation; None, for Discord to show the English, where there is none."""
        language = i18n.languages.of(locale)
        if context.location is TranslationContextLocation.parameter_name:
            translated = language.pgettext(OPTION, string.message)
        else:
            translated = language.gettext(string.message)
        return None if translated == string.message else translated
