"""What the settings and preferences are called, and what their values mean, in a reader's language."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import discord

from bot import i18n
from bot.i18n import N_, Language
from bot.store import GROUPS, GuildSettings

__all__ = [
    "BUTTON_WORDS",
    "DELIVERY",
    "DELIVERY_LONG",
    "GROUP_TITLES",
    "HOW",
    "HOW_LONG",
    "TITLES",
    "WHERE",
    "Words",
    "language_names",
    "mentions",
]

MENTIONS = 20
"""Channels or roles named in one list; the rest is counted."""

GROUP_TITLES: Final[Mapping[str, str]] = {
    "where": N_("Where"),
    "how": N_("How"),
    "what": N_("What"),
    "quotas": N_("Quotas"),
}
TITLES: Final[Mapping[str, str]] = {
    "where": N_("Answers unasked in"),
    "channels": N_("Channels"),
    "ignored_roles": N_("Ignored roles"),
    "how": N_("A picture gets"),
    "emoji": N_("Reaction"),
    "top": N_("Guesses shown"),
    "min_confidence": N_("Says “I'm not sure” below"),
    "model": N_("Model"),
    "language": N_("Language"),
    "buttons": N_("Buttons under an answer"),
    "member_per_minute": N_("Images a minute, each member"),
    "guild_per_minute": N_("Images a minute, the whole server"),
    "unlimited_roles": N_("Roles without quota"),
}
WHERE: Final[Mapping[str, str]] = {
    "all": N_("All channels"),
    "only": N_("Only the channels listed"),
    "except": N_("All but the channels listed"),
}
HOW: Final[Mapping[str, str]] = {
    "reply": N_("A reply"),
    "silent": N_("A silent reply"),
    "react": N_("A reaction"),
    "direct": N_("A direct message, if wished for"),
    "on_demand": N_("Nothing, until somebody asks"),
}
HOW_LONG: Final[Mapping[str, str]] = {
    "reply": N_("The answer, with Discord's usual notification"),
    "silent": N_("The answer, without a notification"),
    "react": N_("An emoji; whoever clicks it gets the answer"),
    "direct": N_("Only to authors who chose that in /preferences"),
    "on_demand": N_("By /classify, by a message's menu, or by mentioning me"),
}
BUTTON_WORDS: Final[Mapping[str, str]] = {
    "more": N_("More"),
    "direct": N_("Send to my DMs"),
    "right": N_("Was this right?"),
    "alt_text": N_("Alt text"),
}
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {"where": WHERE, "how": HOW}
LISTS: Final[Mapping[str, str]] = {
    "channels": "<#{}>",
    "ignored_roles": "<@&{}>",
    "unlimited_roles": "<@&{}>",
}
UNSET: Final[Mapping[str, str]] = {
    "model": N_("The usual one ({model})"),
    "language": N_("The server's"),
    "member_per_minute": N_("The usual limit ({limit})"),
    "guild_per_minute": N_("No limit"),
}
NOTHING = N_("None")
DELIVERY: Final[Mapping[str, str]] = {
    "default": N_("As the server has it"),
    "private": N_("Always privately"),
    "direct": N_("Always by direct message"),
}
DELIVERY_LONG: Final[Mapping[str, str]] = {
    "default": N_("In the channel, or to you alone where you ask for that"),
    "private": N_("Only you see what you ask for; what you post gets no answer in public"),
    "direct": N_("What you ask for, and what you post where I answer unasked"),
}


def language_names() -> dict[str, str]:
    """The languages there are, each in its own words: `{"en": "English", "ja": "日本語"}`."""
    return {"en": "English"} | {name: _own_name(name) for name in i18n.languages if name != "en"}


def _own_name(name: str) -> str:
    # Loaded already, by whatever read that language's file.
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415

    try:
        return Locale.parse(name, sep="-").get_display_name() or name
    except (UnknownLocaleError, ValueError):
        return name


def mentions(ids: Sequence[int], pattern: str, language: Language) -> str:
    """`<#1>, <#2> and 480 more`."""
    named = ", ".join(pattern.format(each) for each in ids[:MENTIONS])
    more = len(ids) - MENTIONS
    if more <= 0:
        return named
    return language.ngettext("{named} and {more} more", "{named} and {more} more", more).format(
        named=named, more=more
    )


@dataclass(frozen=True)
class Words:
    """Speaks of settings. `model` and `per_minute` are the owner's, which hold where a server has none.

    `unusable`: models that could not be loaded.
    """

    language: Language
    model: str
    per_minute: int
    unusable: Collection[str] = ()

    def __call__(self, sentence: str, **blanks: Any) -> str:
        """A sentence in the reader's language, its blanks filled."""
        said = self.language.gettext(sentence)
        return said.format(**blanks) if blanks else said

    def value(self, field: str, value: Any) -> str:
        """What a value of a server's settings means."""
        if value is None:
            return self(UNSET[field], model=self.model, limit=self.per_minute)
        if field in CHOICES:
            return self(CHOICES[field][value])
        if field in LISTS:
            return mentions(value, LISTS[field], self.language) or self(NOTHING)
        if field == "buttons":
            return ", ".join(self(BUTTON_WORDS[button]) for button in value) or self(NOTHING)
        if field == "min_confidence":
            return f"{value:.0%}"
        return str(value) if field == "emoji" else self._named(field, value)

    def _named(self, field: str, value: Any) -> str:
        name = language_names().get(value, value) if field == "language" else str(value)
        name = discord.utils.escape_markdown(name)
        if field == "model" and value in self.unusable:
            return self(N_("{model} (cannot be loaded; the usual one answers)"), model=name)
        return name

    def lines(self, settings: GuildSettings, group: str) -> list[str]:
        """A line for each setting of `group` that matters as things stand."""
        silent = {
            "channels": settings.where == "all",
            "emoji": settings.how != "react",
        }
        return [
            f"**{self(TITLES[field])}**: {self.value(field, getattr(settings, field))}"
            for field in GROUPS[group]
            if not silent.get(field)
        ]

    def change(self, field: str, before: Any, after: Any) -> str:
        """One line that says what is different."""
        if not isinstance(before, tuple):
            return f"**{self(TITLES[field])}**: {self.value(field, before)} → {self.value(field, after)}"
        added = [each for each in after if each not in before]
        removed = [each for each in before if each not in after]
        parts = [f"+ {self.value(field, tuple(added))}"] if added else []
        parts += [f"\N{MINUS SIGN} {self.value(field, tuple(removed))}"] if removed else []
        return f"**{self(TITLES[field])}**: {' '.join(parts)}"
