"""What the settings and their values are called, in a reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot import i18n
from bot.answering.models import Models
from bot.discord_limits import MESSAGE_CONTENT
from bot.i18n import N_, Language
from bot.store import FIELDS, PAGE_TITLES, PAGES, GuildSettings, SettingChange
from config.model_titles import title_of
from config.settings import Settings

DEFAULT = "default"
"""The option of a menu, or of a command, that stands for None: as the owner, or Discord, has it."""
MENTIONS = 12
"""Channels or roles named in one list; the rest is counted."""
NOTHING = N_("None")
TITLE_AND_VALUE = N_("{title}: {value}")


def language_names() -> dict[str, str]:
    """Return the languages there are, each in its own words: `{"en": "English", "ja": "日本語"}`."""
    return {name: i18n.languages.of(name).own_name for name in i18n.languages}


def listed(title: str, lines: Sequence[str], language: Language) -> str:
    """Return a title and a list of lines in markdown, as much of it as fits in a message."""
    text, room = title, MESSAGE_CONTENT - 100
    for index, line in enumerate(lines):
        item = f"\n- {line}"
        if len(text) + len(item) > room:
            more = len(lines) - index
            rest = language.ngettext("and {more} more", "and {more} more", more)
            return f"{text}\n{rest.format(more=more)}"
        text += item
    return text


@dataclass(frozen=True)
class SettingWords:
    """Speaks of a server's settings. What it did not choose is as in the owner's `config` and `models`."""

    language: Language
    config: Settings
    models: Models

    def __call__(self, sentence: str, **blanks: Any) -> str:
        """Return a sentence in the reader's language, its blanks filled."""
        said = self.language.gettext(sentence)
        return said.format(**blanks) if blanks else said

    def translated(self, table: Mapping[str, str]) -> dict[str, str]:
        """Return the table with its sentences in the reader's language."""
        return {value: self(sentence) for value, sentence in table.items()}

    def title(self, name: str) -> str:
        """Return what a setting is called, in bold."""
        return f"**{self(FIELDS[name].title)}**"

    def value(self, name: str, value: Any) -> str:
        """Return what a value of a setting means."""
        field = FIELDS[name]
        if value is None:
            usual, limit = title_of(self.models.infos()[0].name), self.config.limits.user_images_per_minute
            return self(field.unset, model=usual, limit=self.language.number(limit))
        match field.kind:
            case "choice":
                said = self(field.words[value])
            case "choices":
                said = self.language.listed(self(field.words[each]) for each in value)
            case "channels" | "roles":
                said = self._mentions("<#{}>" if field.kind == "channels" else "<@&{}>", value)
            case "percentage":
                said = self.language.percent(value)
            case "language":
                said = discord.utils.escape_markdown(language_names().get(value, value))
            case "model":
                said = discord.utils.escape_markdown(title_of(value))
                if value in self.models.unusable:
                    said = self(N_("{model} (can't be loaded; the default is used instead)"), model=said)
            case "number" | "limit":
                said = self.language.number(value)
            case _:
                said = str(value)
        return said or self(field.unset or NOTHING)

    def names(self, name: str) -> dict[str, str]:
        """Return what a setting that is a name can be, None included, each by what people call it."""
        models = {model: title_of(model) for model in self.config.model.allowed}
        there = models if FIELDS[name].kind == "model" else language_names()
        return {DEFAULT: self.value(name, None), **there}

    def lines(self, settings: GuildSettings, names: Iterable[str]) -> list[str]:
        """Return a line for each of these settings that has an effect as things stand."""
        return [
            self(TITLE_AND_VALUE, title=self.title(name), value=self.value(name, getattr(settings, name)))
            for name in names
            if settings.meets(FIELDS[name].matters)
        ]

    def pages(self, settings: GuildSettings, pages: Iterable[str] = PAGES) -> str:
        """Return all settings of these pages in words, within Discord's limit of a message."""
        return "\n\n".join(
            "\n".join([f"### {self(PAGE_TITLES[page])}", *self.lines(settings, PAGES[page])])
            for page in pages
        )

    def without_effect(self, name: str, settings: GuildSettings) -> str:
        """Return that a setting is saved, and because of which other one it changes nothing yet."""
        other = next(
            each for each in FIELDS[name].matters if not settings.meets({each: FIELDS[name].matters[each]})
        )
        sentence = N_("{title} is saved, but changes nothing as long as {other} is “{value}”.")
        value = self.value(other, getattr(settings, other))
        return self(sentence, title=self.title(name), other=self.title(other), value=value)

    def change(self, change: SettingChange) -> str:
        """Return one line that says what is different."""
        name, before, after = change
        if not isinstance(before, tuple):
            value = f"{self.value(name, before)} → {self.value(name, after)}"
            return self(TITLE_AND_VALUE, title=self.title(name), value=value)
        signs = (("+", after, before), ("\N{MINUS SIGN}", before, after))
        parts = ((sign, tuple(each for each in some if each not in others)) for sign, some, others in signs)
        value = " ".join(f"{sign} {self.value(name, ids)}" for sign, ids in parts if ids)
        return self(TITLE_AND_VALUE, title=self.title(name), value=value)

    def _mentions(self, pattern: str, ids: Sequence[int]) -> str:
        named = [pattern.format(each) for each in ids[:MENTIONS]]
        more = len(ids) - MENTIONS
        if more > 0:
            named.append(self.language.ngettext("{more} more", "{more} more", more).format(more=more))
        return self.language.listed(named)
