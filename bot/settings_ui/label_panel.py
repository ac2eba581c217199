"""The examples of one taught label, page by page, and a menu that takes some of them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import discord
from discord import ui

from bot.components import controls
from bot.i18n import N_, Language
from bot.policy.effective_settings import guild_settings
from bot.policy.teachers import may_teach
from bot.presentation.label_list import UNDO, example_lines
from bot.presentation.teaching_words import label_words, not_a_teacher
from bot.presses.errors import InteractionRefused, PressOutdated, Sentences
from bot.presses.press import Press, PressHandler
from bot.settings_ui.setting_faults import SENTENCES
from bot.settings_ui.setting_values import guild_id_of
from bot.store import Store
from bot.store.tables import TaughtExample
from bot.store.taught_results import NoSuchLabel
from bot.teaching.lesson_words import LESSON_SENTENCES
from bot.teaching.teacher import Teacher

PANEL = "labels"
PAGE = 20
"""Examples of a page: each has a link, and as many fit into a message."""
NONE = "none"
"""Stands in a `custom_id` for "none of these"."""


@dataclass(frozen=True)
class LabelPanel:
    """What a teacher sees of one label. `name` None: of "none of these"; `label` is its number."""

    language: Language
    guild_id: int
    label: int | None
    name: str | None
    examples: Sequence[TaughtExample]
    kind: str | None

    def page(self, first: int = 0, note: str = "") -> ui.LayoutView:
        """Return the examples from the one at `first`, the newest being at 0."""
        say = self.language.gettext
        first = first if first < len(self.examples) else 0
        shown = self.examples[first : first + PAGE]
        count = self.language.ngettext("{count} example", "{count} examples", len(self.examples)).format(
            count=self.language.number(len(self.examples))
        )
        heading = f"### {label_words(self.name, self.language)}: {count}"
        lines = example_lines(self.guild_id, shown, self.kind, self.language)
        items: list[ui.Item[Any]] = [ui.TextDisplay("\n".join([*([note] if note else []), heading, *lines]))]
        if shown:
            options = {
                str(each.example): say(N_("Example {number}")).format(number=each.example) for each in shown
            }
            menu = controls.select(self._id("drop", first), options, several=True)
            menu.placeholder = say(N_("Take out…"))
            menu.min_values, menu.required = 1, True
            items.append(ui.ActionRow(menu))
        turns = []
        if first:
            turns.append(controls.button(self._id("page", max(first - PAGE, 0)), say(N_("Newer"))))
        if first + PAGE < len(self.examples):
            turns.append(controls.button(self._id("page", first + PAGE), say(N_("Older"))))
        if turns:
            items.append(ui.ActionRow(*turns))
        return controls.layout(*items)

    def _id(self, verb: str, first: int) -> str:
        return controls.custom_id(PANEL, verb, f"{NONE if self.label is None else self.label}:{first}")


async def label_panel(
    store: Store, teacher: Teacher, guild_id: int, label: int | None, language: Language
) -> LabelPanel:
    """Return the panel of a label as it stands. Raises `NoSuchLabel` and a `StoreError`."""
    name = None if label is None else (await store.teaching.names(guild_id)).get(label)
    if label is not None and name is None:
        raise NoSuchLabel(str(label))
    examples = await store.teaching.examples_of(guild_id, label)
    kind = (await teacher.model(guild_id)).fingerprints
    return LabelPanel(language, guild_id, label, name, examples, kind)


class LabelPanelPresses(PressHandler):
    """Handles the panel's menu and buttons, for those who may teach."""

    panel = PANEL
    sentences: ClassVar[Sentences] = {**SENTENCES, **LESSON_SENTENCES}

    def __init__(self, store: Store, teacher: Teacher) -> None:
        self._store = store
        self._teacher = teacher

    def check(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:
        """Let everybody through: who may teach is asked in `act`, which can wait for Discord."""

    async def act(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:
        """Turn a page, or take examples out and show what is left."""
        guild_id = guild_id_of(interaction)
        settings = await guild_settings(self._store, guild_id)
        if not await may_teach(interaction, settings):
            raise InteractionRefused(not_a_teacher(settings, language))
        which, _, first = press.what.partition(":")
        if not (first.isdecimal() and (which == NONE or which.isdecimal())):
            raise PressOutdated(press)
        note = ""
        match press.verb:
            case "drop" if press.values and all(value.isdecimal() for value in press.values):
                gone = await self._store.teaching.remove_examples(
                    guild_id, [int(each) for each in press.values]
                )
                note = removed_line(gone, language)
            case "page":
                pass
            case _:
                raise PressOutdated(press)
        label = None if which == NONE else int(which)
        panel = await label_panel(self._store, self._teacher, guild_id, label, language)
        await interaction.response.edit_message(view=panel.page(int(first), note))


def removed_line(count: int, language: Language) -> str:
    """Return that examples were taken out."""
    sentence = language.ngettext("{count} example is taken out.", "{count} examples are taken out.", count)
    return language.text(sentence.format(count=language.number(count)), language.gettext(UNDO))
