"""What is wrong with settings that cannot be, in a reader's language: a line for each fault."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, Final, get_args

import discord

from bot.i18n import N_, Language
from bot.settings_ui.setting_words import TITLES, language_names
from bot.store import BUTTONS, PER_MINUTE, Fault, GuildSettings, short

__all__ = ["LIMITS", "no_language", "no_model", "sentence"]

LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "top": (1, 10),
    "min_confidence": (0, 1),
    "member_per_minute": (1, PER_MINUTE),
    "guild_per_minute": (1, PER_MINUTE),
}
"""The least and the most that a number may be: what `GuildSettings` takes."""

_CHOICE = N_("It can be one of these: {choices}.")
_LIST = N_("It is a list of at most 500 ids, each a whole number.")
_PER_MINUTE = N_("It is a whole number from {least} to {most}, or null for the usual.")
ALLOWED: Final[Mapping[str, str]] = {
    "where": _CHOICE,
    "channels": _LIST,
    "ignored_roles": _LIST,
    "how": _CHOICE,
    "emoji": N_("It is one emoji, such as 🔍, or one of this server, such as <:name:123…>."),
    "top": N_("It is a whole number from {least} to {most}."),
    "min_confidence": N_("It is a number from {least} to {most}."),
    "model": N_("It is the name of a model, or null for the usual one."),
    "language": N_("It is the name of a language, such as en, or null for the server's."),
    "buttons": N_("It is a list of some of these: {choices}."),
    "member_per_minute": _PER_MINUTE,
    "guild_per_minute": _PER_MINUTE,
    "unlimited_roles": _LIST,
}
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "buttons": BUTTONS,
    **{field: get_args(GuildSettings.model_fields[field].annotation) for field in ("where", "how")},
}


def sentence(fault: Fault, language: Language) -> str:
    """One line, in Discord's markdown."""
    say = language.gettext
    match fault.kind:
        case "large":
            return say(N_("The file is larger than {limit} KiB; settings never are.")).format(
                limit=fault.given
            )
        case "json":
            return say(N_("The file is not JSON, or only a part of it ({where}).")).format(where=fault.given)
        case "none":
            return say(N_("The file holds no settings of mine. Take one that {command} gave.")).format(
                command="`/settings export`"
            )
        case "format":
            return say(
                N_("The file is of another version of me, and I cannot read it (format {given}).")
            ).format(given=_shown(fault.given))
        case "unknown":
            return say(N_("There is no setting “{name}”.")).format(name=_shown(fault.given, quoted=False))
        case "strange":
            line = _strange(fault, language)
        case "value":
            line = say(N_("{given} cannot be.")).format(given=_shown(fault.given))
            if allowed := _allowed(fault.field, language):
                line = f"{line} {allowed}"
    return f"**{say(TITLES.get(fault.field, fault.field))}**: {line}"


def no_model(given: str, models: Collection[str], language: Language) -> str:
    """There is no such model, but these, besides the usual one."""
    if not models:
        return language.gettext(N_("Whoever runs me allows no other model than the usual one."))
    return language.gettext(N_("There is no model “{given}” here. Choose one of these: {models}.")).format(
        given=_shown(given, quoted=False), models=", ".join(models)
    )


def no_language(given: str, language: Language) -> str:
    """There is no such language, but these."""
    return language.gettext(N_("I don't speak “{given}”. Choose one of these: {languages}.")).format(
        given=_shown(given, quoted=False), languages=", ".join(language_names().values())
    )


def _strange(fault: Fault, language: Language) -> str:
    if fault.field == "model":
        return no_model(fault.given, fault.allowed, language)
    if fault.field == "language":
        return no_language(fault.given, language)
    return language.gettext(N_("Not of this server: {ids}")).format(ids=", ".join(map(str, fault.given)))


def _allowed(field: str, language: Language) -> str:
    """What the value of a server's setting can be; empty for anything else."""
    if field not in ALLOWED:
        return ""
    least, most = LIMITS.get(field, (0, 0))
    choices = ", ".join(f"`{choice}`" for choice in CHOICES.get(field, ()))
    return language.gettext(ALLOWED[field]).format(least=least, most=most, choices=choices)


def _shown(given: Any, *, quoted: bool = True) -> str:
    text = json.dumps(given, ensure_ascii=False, default=str) if quoted else str(given)
    return discord.utils.escape_markdown(short(text))
