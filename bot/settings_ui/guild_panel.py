"""The panel of a server's settings: an overview, and a page for each group, in one message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import discord
from discord import ui

from bot.components import controls
from bot.discord_limits import SELECT_OPTIONS
from bot.i18n import N_, OPTION
from bot.settings_ui.setting_words import DEFAULT, SettingWords
from bot.store import FIELDS, PAGE_TITLES, PAGES, GuildSettings
from bot.store.setting_fields import EMOJI_CHARACTERS, SettingField, SettingForm

PANEL = "settings"
OVERVIEW, SURE, ALL = "overview", "sure", "all"
PERCENTAGES = range(0, 100, 5)
"""Offered in the menu; `/settings what` takes any."""
DIGITS = 6
"""Characters of a number that may be typed."""
PLACEHOLDERS: Final = {"channels": N_("Choose channels"), "roles": N_("Choose roles")}
FORMS: Final[Mapping[str, tuple[SettingForm, tuple[SettingField, ...]]]] = {
    form.name: (form, tuple(fields))
    for form, fields in groupby(FIELDS.values(), key=lambda field: field.form)
    if form is not None
}
"""The forms by their names, each with the settings that it asks for."""


@dataclass(frozen=True)
class GuildPanel:
    """What one moderator sees of one server's settings."""

    words: SettingWords
    settings: GuildSettings

    def page(self, name: str = OVERVIEW) -> ui.LayoutView:
        """Return one of the pages: the overview, the question before all is reset, or a page of settings."""
        title, hint = self.words(N_("Settings")), self.words(N_("Each change is saved at once."))
        special = {OVERVIEW: self._overview, SURE: self._sure}
        items = special[name]() if name in special else self._settings_page(name)
        heading = ui.TextDisplay[Any](f"## {title}\n-# {hint}")
        return controls.layout(heading, self._tabs(name), ui.Separator[Any](), *items)

    def form(self, name: str) -> ui.Modal:
        """Return a form for settings that are typed."""
        form, fields = FORMS[name]
        lines = (self._typed(field, form.description) for field in fields)
        return controls.form(controls.custom_id(PANEL, "typed", name), self.words(form.title), *lines)

    def _typed(self, field: SettingField, description: str) -> ui.Label[Any]:
        value = getattr(self.settings, field.name)
        usual = self.words.value(field.name, None) if field.unset else ""
        return ui.Label(
            text=self.words(field.label or field.title),
            description=self.words(description, usual=usual),
            component=ui.TextInput(
                custom_id=field.name,
                default="" if value is None else str(value),
                required=not field.unset,
                max_length=EMOJI_CHARACTERS if field.kind == "emoji" else DIGITS,
            ),
        )

    def _tabs(self, page: str) -> ui.ActionRow[Any]:
        titles = {OVERVIEW: N_("Overview"), **PAGE_TITLES}
        styles = {page: discord.ButtonStyle.primary}
        return ui.ActionRow(
            *(self._button("open", name, title, styles.get(name)) for name, title in titles.items())
        )

    def _overview(self) -> Iterator[ui.Item[Any]]:
        yield ui.TextDisplay(self.words.pages(self.settings))
        yield self._small(N_("Save them to a file: /settings export. Load one: /settings import."))
        yield ui.ActionRow(self._button("open", SURE, N_("Reset everything…")))

    def _sure(self) -> Iterator[ui.Item[Any]]:
        yield ui.TextDisplay(self.words(N_("Reset all settings to their defaults?")))
        yield ui.ActionRow(
            self._button("reset", ALL, N_("Reset everything"), discord.ButtonStyle.danger),
            self._button("back", OVERVIEW, N_("Cancel")),
        )

    def _settings_page(self, page: str) -> Iterator[ui.Item[Any]]:
        shown = [FIELDS[name] for name in PAGES[page] if self.settings.meets(FIELDS[name].matters)]
        for form, fields in groupby(shown, key=lambda field: field.form):
            if form is None:
                for field in fields:
                    yield from self._pick(field) if field.kind in PLACEHOLDERS else self._select(field)
                    for sentence, condition in field.hints:
                        if self.settings.meets(condition):
                            yield self._small(sentence)
            else:
                yield self._now(*fields)
                yield ui.ActionRow(self._button("ask", form.name, form.button))
        yield ui.ActionRow(self._button("reset", page, N_("Reset this page")))

    def _select(self, field: SettingField) -> Iterator[ui.Item[Any]]:
        """Yield a title, and a menu for a setting of one value or, as the buttons, several."""
        value = getattr(self.settings, field.name)
        options = self._options(field, value)
        if len(options) == 1:
            return  # there is nothing to choose
        several = field.kind == "choices"
        chosen = value if several else [_option_of(field, value)]
        descriptions = self.words.translated(field.descriptions)
        identity = controls.custom_id(PANEL, "set", field.name)
        yield ui.TextDisplay(self.words.title(field.name))
        yield ui.ActionRow(
            controls.select(identity, options, chosen, descriptions=descriptions, several=several)
        )

    def _options(self, field: SettingField, value: Any) -> dict[str, str]:
        match field.kind:
            case "model" | "language":
                return self.words.names(field.name)
            case "percentage":
                now = round(value * 100)
                return {
                    f"{each / 100:g}": self.words.language.percent(each / 100)
                    for each in sorted({*PERCENTAGES, now})
                }
            case "number":
                return {str(number): str(number) for number in range(field.least, field.most + 1)}
        return self.words.translated(field.words)

    def _pick(self, field: SettingField) -> Iterator[ui.Item[Any]]:
        """Yield a title and a menu for a list. One that is too long is shown, and the menu adds to it."""
        ids = getattr(self.settings, field.name)
        long = len(ids) >= SELECT_OPTIONS
        yield self._now(field) if long else ui.TextDisplay(self.words.title(field.name))
        identity, ticked = controls.custom_id(PANEL, "list", field.name), () if long else ids
        placeholder = self.words(PLACEHOLDERS[field.kind])
        yield ui.ActionRow(controls.pick(field.kind, identity, ticked, placeholder))
        if long:
            option = self.words.language.pgettext(OPTION, field.options[1])
            command = f"`/settings {field.page} {option}:`"
            yield self._small(N_("What you pick is added. To remove one: {command}"), command=command)

    def _now(self, *fields: SettingField) -> ui.TextDisplay[Any]:
        return ui.TextDisplay("\n".join(self.words.lines(self.settings, (field.name for field in fields))))

    def _small(self, sentence: str, **blanks: Any) -> ui.TextDisplay[Any]:
        return ui.TextDisplay(f"-# {self.words(sentence, **blanks)}")

    def _button(
        self, verb: str, what: str, label: str, style: discord.ButtonStyle | None = None
    ) -> ui.Button[Any]:
        return controls.button(
            controls.custom_id(PANEL, verb, what), self.words(label), style or discord.ButtonStyle.secondary
        )


def _option_of(field: SettingField, value: Any) -> str:
    if field.kind == "percentage":
        return f"{round(value * 100) / 100:g}"
    return DEFAULT if value is None else str(value)
