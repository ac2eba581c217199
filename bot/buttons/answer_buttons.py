"""What stands under a public answer: buttons for its one image, or a menu of its images."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import discord
from discord import ui

from bot.buttons.image_mark import ImageMark, People, can_be_packed
from bot.components import controls
from bot.discord_limits import SELECT_OPTIONS, SELECT_PLACEHOLDER
from bot.i18n import N_, Language
from bot.presentation.answer import Outcome
from bot.presentation.naming import Finding, shorten
from bot.presentation.spoilers import shown_name
from bot.store import BUTTONS, GuildSettings
from inference.results import Classification, ModelInfo

__all__ = [
    "PANEL",
    "VERBS",
    "AnswerButtons",
    "MergedPart",
    "button",
    "buttons_for",
    "merged_view",
    "packed_in",
    "view_without",
]

PANEL = "pic"
"""These buttons' name in a `custom_id`: short, because a mark takes nearly all of its 100 characters."""
VERBS: Final = {"more": "more", "feedback": "ask", "alt_text": "alt"}
"""What is pressed, by the name that a server's settings have for it."""
PICK = N_("More about a picture…")
OF = ":"
"""In an option of merged answers, between the mark and the id of the message with the picture, which is in
hexadecimal: so they are within the 100 characters of a value."""


def buttons_for(
    outcomes: Sequence[Outcome],
    people: People,
    language: Language,
    *,
    guild: GuildSettings,
    models: Sequence[ModelInfo],
) -> AnswerButtons:
    """Return the buttons that the server wants under the answer to `outcomes`.

    `models` are those that may have named the images.
    """
    known = {model.name: model for model in models if can_be_packed(model)}
    marks = tuple(_marks(outcomes, people, guild.min_confidence, known))
    named = any(outcome.is_named for outcome in outcomes)
    return AnswerButtons(marks, len(outcomes), guild.buttons if named else (), language)


@dataclass(frozen=True, slots=True)
class AnswerButtons:
    """What can be pressed under one answer.

    `marks` are the images that were named, each with the model that did. `images` counts all images of the
    answer. `wanted` are the buttons, by the names that settings have for them.
    """

    marks: tuple[tuple[ImageMark, ModelInfo], ...]
    images: int
    wanted: tuple[str, ...]
    language: Language

    def view(self) -> ui.View | None:
        """AnswerButtons for the one image, or a menu of several; None if there is nothing to press."""
        if self.images > 1:
            options = [
                _option(mark, mark.pack(model), _name(mark, self.language, 90)) for mark, model in self.marks
            ]
            return _menus(options, self.wanted, self.language)
        items: list[ui.Item[Any]] = []
        for name in self.wanted:
            if name == "dm_button":
                items.append(_direct(self.language))
            elif self.marks:
                mark, model = self.marks[0]
                items.append(button(name, mark.pack(model), self.language))
        return controls.view(*items) if items else None


class MergedPart(NamedTuple):
    """One of several answers in one message: which message it answers, who wrote that, and its buttons."""

    source_id: int
    author: str
    buttons: AnswerButtons


def merged_view(parts: Sequence[MergedPart]) -> ui.View | None:
    """Return menus of the images of merged answers, numbered through; None if there is nothing to press."""
    options: list[discord.SelectOption] = []
    before = 0
    for source_id, author, buttons in parts:
        for mark, model in buttons.marks:
            numbered = replace(mark, image=before + mark.image)
            label = f"{shorten(author, 32)}: {_name(mark, buttons.language, 50)}"
            options.append(_option(numbered, f"{numbered.pack(model)}{OF}{source_id:x}", label))
        before += buttons.images
    wanted = {name for part in parts for name in part.buttons.wanted}
    return _menus(options, wanted, parts[0].buttons.language)


def view_without(answer: discord.Message, sources: Collection[int]) -> ui.View | None:
    """Return what is left of the menus of `merged_view` when these messages are gone; None if nothing is."""
    gone = {f"{source:x}" for source in sources}
    left = ui.View.from_message(answer, timeout=None)
    left.stop()
    for item in left.children:
        if isinstance(item, ui.Select):
            item.options = [each for each in item.options if each.value.rpartition(OF)[2] not in gone]
            if not item.options:
                left.remove_item(item)
    return left if left.children else None


def packed_in(value: str) -> str:
    """Return the packed mark in the value of a menu's option."""
    return value.partition(OF)[0]


def button(name: str, packed: str, language: Language) -> ui.Button[Any]:
    """Return the button that settings call `name`, for the image of a packed mark."""
    return controls.button(controls.custom_id(PANEL, VERBS[name], packed), _label(name, language))


def _marks(
    outcomes: Iterable[Outcome], people: People, min_confidence: float, known: Mapping[str, ModelInfo]
) -> Iterator[tuple[ImageMark, ModelInfo]]:
    for image, outcome in enumerate(outcomes):
        if isinstance(outcome.result, Classification) and (model := known.get(outcome.result.model)):
            finding = Finding.of(outcome.result, min_confidence)
            yield ImageMark(finding, image, outcome.source.spoiler, people), model


def _option(mark: ImageMark, value: str, label: str) -> discord.SelectOption:
    return discord.SelectOption(label=f"{mark.image + 1}. {label}", value=value)


def _menus(
    options: Sequence[discord.SelectOption], wanted: Collection[str], language: Language
) -> ui.View | None:
    items: list[ui.Item[Any]] = []
    if any(name in VERBS for name in wanted):
        for first in range(0, len(options), SELECT_OPTIONS):
            menu: ui.Select[Any] = ui.Select(
                custom_id=controls.custom_id(PANEL, "pick", str(first or "")),
                placeholder=language.gettext(PICK)[:SELECT_PLACEHOLDER],
                options=list(options[first : first + SELECT_OPTIONS]),
            )
            items.append(menu)
    if "dm_button" in wanted:
        items.append(_direct(language))
    return controls.view(*items) if items else None


def _direct(language: Language) -> ui.Button[Any]:
    return controls.button(controls.custom_id(PANEL, "dm"), _label("dm_button", language))


def _name(mark: ImageMark, language: Language, width: int) -> str:
    """Return what an image is called in a menu, where a spoiler is not named either."""
    return shown_name(shorten(mark.finding.said, width), language, spoiler=mark.spoiler)


def _label(name: str, language: Language) -> str:
    return language.gettext(BUTTONS[name])
