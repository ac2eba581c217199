"""The panel of a server's settings: an overview, and a page for each group, in one message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import discord
from discord import ui

from bot.components import controls
from bot.i18n import N_
from bot.settings_ui.setting_words import (
    BUTTON_WORDS,
    GROUP_TITLES,
    HOW,
    HOW_LONG,
    TITLES,
    WHERE,
    Words,
    language_names,
)
from bot.store import GROUPS, GuildSettings

__all__ = ["ALL", "DEFAULT", "OVERVIEW", "PANEL", "ServerPanel", "emoji_form", "limits_form", "page_of"]

PANEL = "settings"
OVERVIEW, SURE, ALL = "overview", "sure", "all"
DEFAULT = "default"
"""The option of a menu that stands for "as the owner, or Discord, has it"."""
STEPS = tuple(range(0, 100, 5))
"""Percentages in the menu; `/settings what` takes any."""
MENUS: Final[Mapping[str, tuple[Callable[[str, Sequence[int], str], ui.Item[Any]], str, str]]] = {
    "channels": (controls.pick_channels, N_("Choose channels"), "`/settings where remove:`"),
    "ignored_roles": (controls.pick_roles, N_("Choose roles"), "`/settings where heed:`"),
    "unlimited_roles": (controls.pick_roles, N_("Choose roles"), "`/settings quotas limit:`"),
}
"""For a list: its menu, what the menu says while nothing is chosen, and the command that takes one away."""
NUMBER, EMOJI = 6, 64
"""Characters that may be typed."""


def page_of(field: str) -> str:
    """The page on which a setting is."""
    return next(group for group, fields in GROUPS.items() if field in fields)


@dataclass(frozen=True)
class ServerPanel:
    """What one moderator sees of one server's settings. `models`: those that the owner allows."""

    words: Words
    settings: GuildSettings
    models: Sequence[str]

    def page(self, name: str = OVERVIEW) -> ui.LayoutView:
        """One of the pages."""
        items = [self._heading(), self._tabs(name), ui.Separator[Any](), *self._pages[name](self)]
        return controls.layout(*items)

    def text(self, *groups: str) -> str:
        """The same in words alone, all or some groups; inside Discord's 2000 characters."""
        return "\n\n".join(self._said(group) for group in groups or GROUPS)

    def _said(self, group: str) -> str:
        title = self.words(GROUP_TITLES[group])
        return "\n".join([f"### {title}", *self.words.lines(self.settings, group)])

    def _heading(self) -> ui.TextDisplay[Any]:
        title, hint = self.words(N_("Settings")), self.words(N_("Each change is saved at once."))
        return ui.TextDisplay(f"## {title}\n-# {hint}")

    def _tabs(self, page: str) -> ui.ActionRow[Any]:
        titles = {OVERVIEW: N_("Overview"), **GROUP_TITLES}
        here, elsewhere = discord.ButtonStyle.primary, discord.ButtonStyle.secondary
        return controls.row(
            *(
                controls.button(
                    controls.custom_id(PANEL, "open", name),
                    self.words(title),
                    here if name == page else elsewhere,
                )
                for name, title in titles.items()
            )
        )

    def _overview(self) -> Iterator[ui.Item[Any]]:
        yield ui.TextDisplay(self.text())
        yield self._small(N_("Keep them as a file: /settings export. Take one: /settings import."))
        yield controls.row(self._button("open", SURE, N_("Reset everything…")))

    def _sure(self) -> Iterator[ui.Item[Any]]:
        yield ui.TextDisplay(
            self.words(N_("Reset everything to what it was in the beginning? Your choices will be gone."))
        )
        yield controls.row(
            self._button("reset", ALL, N_("Reset everything"), discord.ButtonStyle.danger),
            self._button("back", OVERVIEW, N_("Cancel")),
        )

    def _where(self) -> Iterator[ui.Item[Any]]:
        yield from self._choose("where", self._translated(WHERE))
        if self.settings.where != "all":
            yield from self._pick("channels")
            yield self._small(N_("Threads and posts follow their channel, channels their category."))
        if self.settings.where == "only" and not self.settings.channels:
            yield self._small(N_("No channel is listed yet: I answer nowhere unasked."))
        yield from self._pick("ignored_roles")
        yield self._reset("where")

    def _how(self) -> Iterator[ui.Item[Any]]:
        yield from self._choose("how", self._translated(HOW), self._translated(HOW_LONG))
        if self.settings.how == "react":
            yield self._now("emoji")
            yield controls.row(self._button("ask", "emoji", N_("Change the emoji…")))
        yield self._reset("how")

    def _what(self) -> Iterator[ui.Item[Any]]:
        yield from self._choose("top", {str(number): str(number) for number in range(1, 11)})
        sure = sorted({*STEPS, round(self.settings.min_confidence * 100)})
        yield from self._choose(
            "min_confidence",
            {f"{percent / 100:g}": f"{percent}%" for percent in sure},
            now=f"{round(self.settings.min_confidence * 100) / 100:g}",
        )
        if self.models:
            usual = self.words.value("model", None)
            yield from self._choose("model", {DEFAULT: usual} | {name: name for name in self.models})
        names = {DEFAULT: self.words.value("language", None)} | language_names()
        yield from self._choose("language", names)
        yield from self._choose("buttons", self._translated(BUTTON_WORDS))
        yield self._reset("what")

    def _quotas(self) -> Iterator[ui.Item[Any]]:
        yield self._now("member_per_minute", "guild_per_minute")
        yield controls.row(self._button("ask", "limits", N_("Change the limits…")))
        yield from self._pick("unlimited_roles")
        yield self._reset("quotas")

    def _translated(self, table: Mapping[str, str]) -> dict[str, str]:
        return {value: self.words(sentence) for value, sentence in table.items()}

    def _title(self, field: str) -> ui.TextDisplay[Any]:
        return ui.TextDisplay(f"**{self.words(TITLES[field])}**")

    def _now(self, *fields: str) -> ui.TextDisplay[Any]:
        values = [
            f"**{self.words(TITLES[field])}**: {self.words.value(field, getattr(self.settings, field))}"
            for field in fields
        ]
        return ui.TextDisplay("\n".join(values))

    def _small(self, sentence: str, **blanks: Any) -> ui.TextDisplay[Any]:
        return ui.TextDisplay(f"-# {self.words(sentence, **blanks)}")

    def _choose(
        self,
        field: str,
        options: Mapping[str, str],
        descriptions: Mapping[str, str] | None = None,
        now: str | None = None,
    ) -> Iterator[ui.Item[Any]]:
        """A title, and a menu for a setting that has one value or, as the buttons, several."""
        value = getattr(self.settings, field)
        several = isinstance(value, tuple)
        chosen = value if several else [now or (DEFAULT if value is None else str(value))]
        yield self._title(field)
        yield controls.row(
            controls.choose(
                controls.custom_id(PANEL, "set", field),
                options,
                chosen,
                descriptions=descriptions,
                several=several,
            )
        )

    def _pick(self, field: str) -> Iterator[ui.Item[Any]]:
        """A title and a menu for a list. One that the menu cannot hold is listed, and the menu adds to it."""
        menu, invitation, command = MENUS[field]
        ids = getattr(self.settings, field)
        long = len(ids) >= controls.LISTED
        yield self._now(field) if long else self._title(field)
        identity = controls.custom_id(PANEL, "list", field)
        yield controls.row(menu(identity, () if long else ids, self.words(invitation)))
        if long:
            yield self._small(N_("What you pick is added. To take one away: {command}"), command=command)

    def _button(
        self, verb: str, what: str, label: str, style: discord.ButtonStyle = discord.ButtonStyle.secondary
    ) -> ui.Button[Any]:
        return controls.button(controls.custom_id(PANEL, verb, what), self.words(label), style)

    def _reset(self, group: str) -> ui.ActionRow[Any]:
        return controls.row(self._button("reset", group, N_("Reset this page")))

    _pages = {  # noqa: RUF012 - a table, never changed
        OVERVIEW: _overview,
        SURE: _sure,
        "where": _where,
        "how": _how,
        "what": _what,
        "quotas": _quotas,
    }


def emoji_form(words: Words, settings: GuildSettings) -> ui.Modal:
    """Asks for the emoji that Whatsit reacts with."""
    return _form(
        words(N_("The emoji of the reaction")),
        "emoji",
        ui.Label(
            text=words(TITLES["emoji"]),
            description=words(N_("One emoji, such as 🔍, or one of this server, such as <:name:123…>")),
            component=ui.TextInput(custom_id="emoji", default=settings.emoji, max_length=EMOJI),
        ),
    )


def limits_form(words: Words, settings: GuildSettings) -> ui.Modal:
    """Asks for the images a minute."""
    return _form(
        words(N_("Images a minute")),
        "limits",
        *(
            ui.Label(
                text=words(title),
                description=words(N_("Empty: {usual}"), usual=words.value(field, None)),
                component=ui.TextInput(
                    custom_id=field,
                    default=_or_empty(getattr(settings, field)),
                    required=False,
                    max_length=NUMBER,
                ),
            )
            for field, title in (
                ("member_per_minute", N_("For each member")),
                ("guild_per_minute", N_("For the whole server")),
            )
        ),
    )


def _or_empty(number: int | None) -> str:
    return "" if number is None else str(number)


def _form(title: str, what: str, *fields: ui.Label[Any]) -> ui.Modal:
    form = ui.Modal(title=title[:45], custom_id=controls.custom_id(PANEL, "typed", what), timeout=None)
    for field in fields:
        field.text, field.description = field.text[:45], (field.description or "")[:100]
        form.add_item(field)
    form.stop()
    return form
