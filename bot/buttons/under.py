"""What stands under a public answer: buttons for its one image, or a menu of its images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import discord
from discord import ui

from bot.answers import Outcome
from bot.buttons.mark import Mark, People, usable
from bot.i18n import N_, Language
from bot.naming import Finding, shorten
from bot.panel import controls
from bot.panel.words import BUTTON_WORDS
from bot.store import GuildSettings
from inference.results import Classification, ModelInfo

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = ["PANEL", "VERBS", "button", "models", "under"]

PANEL = "pic"
"""These buttons' name in a `custom_id`: short, because a mark takes nearly all of its 100 characters."""
VERBS: Final = {"more": "more", "right": "ask", "alt_text": "alt"}
"""What is pressed, by the name that a server's settings have for it."""
PICK = N_("More about a picture…")


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
) -> ui.View | None:
    """The buttons that the server wants under the answer to `outcomes`; None if there is nothing to press.

    `models` are those that may have named the images.
    """
    wanted: tuple[str, ...] = guild.buttons
    if not any(isinstance(outcome.result, Classification) for outcome in outcomes):
        wanted = ()
    known = {model.name: model for model in models if usable(model)}
    marks = list(_packed(outcomes, people, guild.min_confidence, known))
    items: list[ui.Item[Any]] = []
    if len(outcomes) > 1 and marks and any(name in VERBS for name in wanted):
        items.append(_menu(marks, language))
        wanted = tuple(name for name in wanted if name not in VERBS)
    for name in wanted:
        if name == "direct":
            items.append(controls.button(controls.custom_id(PANEL, "dm"), _label(name, language)))
        elif marks:
            items.append(button(name, marks[0][1], language))
    return controls.forgotten(ui.View(timeout=None), *items) if items else None


def button(name: str, packed: str, language: Language) -> ui.Button[Any]:
    """The button that settings call `name`, for the image of a packed mark."""
    return controls.button(controls.custom_id(PANEL, VERBS[name], packed), _label(name, language))


def _packed(
    outcomes: Iterable[Outcome], people: People, min_confidence: float, known: Mapping[str, ModelInfo]
) -> Iterator[tuple[Mark, str]]:
    for image, outcome in enumerate(outcomes):
        if isinstance(outcome.result, Classification) and (model := known.get(outcome.result.model)):
            finding = Finding.of(outcome.result, min_confidence)
            mark = Mark(finding, image, outcome.source.spoiler, people)
            yield mark, mark.pack(model)


def _menu(marks: Sequence[tuple[Mark, str]], language: Language) -> ui.Select[Any]:
    """A choice of the answer's images; what a spoiler hides is not named in it either."""
    options = [
        discord.SelectOption(label=f"{mark.image + 1}. {_name(mark, language)}", value=packed)
        for mark, packed in marks[: controls.LISTED]
    ]
    return ui.Select(
        custom_id=controls.custom_id(PANEL, "pick"), placeholder=language.gettext(PICK)[:150], options=options
    )


def _name(mark: Mark, language: Language) -> str:
    return language.gettext("spoiler") if mark.spoiler else shorten(mark.finding.said, 90)


def _label(name: str, language: Language) -> str:
    return language.gettext(BUTTON_WORDS[name])
