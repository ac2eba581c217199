"""What is wrong with settings that cannot be, in a reader's language: a line for each fault."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

import discord
from discord import app_commands

from bot.download.downloader import DownloadError
from bot.i18n import N_, Language
from bot.presses.errors import PressOutdated, Sentences
from bot.settings_ui.setting_words import TITLE_AND_VALUE, language_names, listed
from bot.store import FIELDS, InvalidSettings, SettingFault, StoreError
from bot.store.setting_fields import SettingField
from bot.store.settings_file import short

MANAGERS_ONLY = N_("You need Manage Server to see or change these.")
_IDS = N_("It must be a list of at most 500 ids, each a whole number.")
RULES: Final[Mapping[str, str]] = {
    "choice": N_("It must be one of these: {choices}."),
    "choices": N_("It must be a list of some of these: {choices}."),
    "number": N_("It must be a whole number from {least} to {most}."),
    "percentage": N_("It must be a number from {least} to {most}."),
    "limit": N_("It must be a whole number from {least} to {most}, or null for the default."),
    "emoji": N_("It must be one emoji, such as 🔍, or one from this server, such as <:name:123…>."),
    "model": N_("It must be the name of a model, or null for the default."),
    "language": N_("It must be the name of a language, such as en, or null for the server's."),
    "channels": _IDS,
    "roles": _IDS,
}
"""What a setting of each kind can be."""


def _all_faults(error: InvalidSettings, language: Language) -> str:
    title = language.gettext(N_("Nothing was changed. Here's why:"))
    lines = [fault_sentence(fault, language) for fault in error.faults]
    return listed(title, lines, language)


SENTENCES: Sentences = {
    InvalidSettings: _all_faults,
    DownloadError: N_("I couldn't fetch that file. Try again in a minute."),
    app_commands.CheckFailure: MANAGERS_ONLY,
    StoreError: N_(
        "I can't reach my database right now, so nothing was changed. Try again in a minute; if it fails "
        "again, tell the bot's owner."
    ),
    PressOutdated: N_("This panel is out of date. Open a new one."),
}
"""What people hear when settings or preferences could not be read or changed. What stood, stands."""


def fault_sentence(fault: SettingFault, language: Language) -> str:
    """Return what is wrong in one line of Discord's markdown."""
    say = language.gettext
    match fault.kind:
        case "large":
            return say(N_("That file is too large: settings take at most {limit} KiB.")).format(
                limit=fault.given
            )
        case "json":
            return say(N_("That file isn't valid JSON ({where}).")).format(where=fault.given)
        case "none":
            return say(N_("There are no settings of mine in that file. Use one from {command}.")).format(
                command="`/settings export`"
            )
        case "format":
            return say(
                N_("That file is from another version of me, so I can't read it (format {given}).")
            ).format(given=_shown(fault.given))
        case "unknown":
            return say(N_("There is no setting “{name}”.")).format(name=_shown(fault.given, quoted=False))
    field = FIELDS.get(fault.field)  # None: a preference, which has no table
    title = say(field.title) if field else fault.field
    if fault.kind == "value":
        rule = rule_sentence(field, language) if field else ""
        cannot_be = say(N_("{given} isn't valid.")).format(given=_shown(fault.given))
        line = language.text(cannot_be, rule)
    elif isinstance(fault.given, str):
        line = unknown_name(fault.field, fault.given, fault.existing, language)
    else:
        ids = language.listed(map(str, fault.given))
        line = say(N_("Not on this server: {ids}")).format(ids=ids)
    return say(TITLE_AND_VALUE).format(title=f"**{title}**", value=line)


def rule_sentence(field: SettingField, language: Language) -> str:
    """Return what a setting can be."""
    choices = language.listed((f"`{value}`" for value in field.words), either=field.kind == "choice")
    return language.gettext(RULES[field.kind]).format(
        least=language.number(field.least), most=language.number(field.most), choices=choices
    )


def unknown_name(name: str, given: str, existing: Collection[str], language: Language) -> str:
    """Return that there is no such model or language as `given`, and which there are; `name`: the setting."""
    shown = _shown(given, quoted=False)
    if name == "language":
        return language.gettext(N_("I don't speak “{given}”. Choose one of these: {languages}.")).format(
            given=shown, languages=language.listed(language_names().values(), either=True)
        )
    if not existing:
        return language.gettext(N_("The bot's owner allows no model but the default."))
    return language.gettext(N_("There is no model “{given}” here. Choose one of these: {models}.")).format(
        given=shown, models=language.listed(existing, either=True)
    )


def _shown(given: Any, *, quoted: bool = True) -> str:
    text = json.dumps(given, ensure_ascii=False, default=str) if quoted else str(given)
    return discord.utils.escape_markdown(short(text))
