"""What stands under a public answer: buttons for its one image, or a menu of its images."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import discord
from discord import ui

from bot.buttons.mark import Mark, People, usable
from bot.i18n import N_, Language
from bot.panel import controls
from bot.panel.words import BUTTON_WORDS
from bot.presentation.answer import Outcome
from bot.presentation.naming import Finding, shorten
from bot.store import GuildSettings
from inference.results import Classification, ModelInfo

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = [
    "PANEL",
    "VERBS",
    "Buttons",
    "Part",
    "button",
    "models",
    "packed_in",
    "together",
    "under",
    "without",
]

PANEL = "pic"
"""These buttons' name in a `custom_id`: short, because a mark takes nearly all of its 100 characters."""
VERBS: Final = {"more": "more", "right": "ask", "alt_text": "alt"}
"""What is pressed, by the name that a server's settings have for it."""
PICK = N_("More about a picture…")
OF = ":"
"""In an option of merged answers, between the mark and the id of the message with the picture, which is in
hexadecimal: so they are within the 100 characters of a value."""


def models(bot: Whatsit) -> tuple[ModelInfo, ...]:
    """Those whose answers' buttons work now."""
    return bot.models.infos()


def under(
    outcomes: Sequence[Outcome],
    people: People,
    language: Language,
    *,
    guild: GuildSettings,
    models: Sequence[ModelInfo],
) -> Buttons:
    """The buttons that the server wants under the answer to `outcomes`.

    `models` are those that may have named the images.
    """
    known = {model.name: model for model in models if usable(model)}
    marks = tuple(_marks(outcomes, people, guild.min_confidence, known))
    named = any(isinstance(outcome.result, Classification) for outcome in outcomes)
    return Buttons(marks, len(outcomes), guild.buttons if named else (), language)


@dataclass(frozen=True, slots=True)
class Buttons:
    """What can be pressed under one answer: `wanted`, by the names that settings have for it, for `marks`.

    `images` counts also those that could not be named.
    """

    marks: tuple[tuple[Mark, ModelInfo], ...]
    images: int
    wanted: tuple[str, ...]
    language: Language

    def view(self) -> ui.View | None:
        """Buttons for the one image, or a menu of several; None if there is nothing to press."""
        if self.images > 1:
            options = [
                _option(mark, mark.pack(model), _name(mark, self.language, 90)) for mark, model in self.marks
            ]
            return _menus(options, self.wanted, self.language)
        items: list[ui.Item[Any]] = []
        for name in self.wanted:
            if name == "direct":
                items.append(_direct(self.language))
            elif self.marks:
                mark, model = self.marks[0]
                items.append(button(name, mark.pack(model), self.language))
        return controls.view(*items) if items else None


class Part(NamedTuple):
    """What one of several merged answers has under it, whose picture it is, and the message it answers."""

    source_id: int
    author: str
    buttons: Buttons


def together(parts: Sequence[Part]) -> ui.View | None:
    """Menus of the images of merged answers, numbered through; None if there is nothing to press."""
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


def without(answer: discord.Message, sources: Collection[int]) -> ui.View | None:
    """What is left of `together` when these messages are gone."""
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
    """The mark in an option of a menu."""
    return value.partition(OF)[0]


def button(name: str, packed: str, language: Language) -> ui.Button[Any]:
    """The button that settings call `name`, for the image of a packed mark."""
    return controls.button(controls.custom_id(PANEL, VERBS[name], packed), _label(name, language))


def _marks(
    outcomes: Iterable[Outcome], people: People, min_confidence: float, known: Mapping[str, ModelInfo]
) -> Iterator[tuple[Mark, ModelInfo]]:
    for image, outcome in enumerate(outcomes):
        if isinstance(outcome.result, Classification) and (model := known.get(outcome.result.model)):
            finding = Finding.of(outcome.result, min_confidence)
            yield Mark(finding, image, outcome.source.spoiler, people), model


def _option(mark: Mark, value: str, label: str) -> discord.SelectOption:
    return discord.SelectOption(label=f"{mark.image + 1}. {label}", value=value)


def _menus(
    options: Sequence[discord.SelectOption], wanted: Collection[str], language: Language
) -> ui.View | None:
    items: list[ui.Item[Any]] = []
    if any(name in VERBS for name in wanted):
        for first in range(0, len(options), controls.LISTED):
            menu: ui.Select[Any] = ui.Select(
                custom_id=controls.custom_id(PANEL, "pick", str(first or "")),
                placeholder=language.gettext(PICK)[:150],
                options=list(options[first : first + controls.LISTED]),
            )
            items.append(menu)
    if "direct" in wanted:
        items.append(_direct(language))
    return controls.view(*items) if items else None


def _direct(language: Language) -> ui.Button[Any]:
    return controls.button(controls.custom_id(PANEL, "dm"), _label("direct", language))


def _name(mark: Mark, language: Language, width: int) -> str:
    """What a spoiler hides is not named in a menu either."""
    return language.gettext("spoiler") if mark.spoiler else shorten(mark.finding.said, width)


def _label(name: str, language: Language) -> str:
    return language.gettext(BUTTON_WORDS[name])
