"""What stands under an answer: buttons for its one image, or a menu of its images."""

from __future__ import annotations

import base64
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import discord
from discord import ui

from bot.buttons.image_mark import ImageMark, People, can_be_packed
from bot.buttons.mark_seal import MarkSeal
from bot.components import controls
from bot.discord_limits import SELECT_OPTIONS, SELECT_PLACEHOLDER
from bot.i18n import N_, Language
from bot.presentation.answer import Outcome
from bot.presentation.label_name import LabelName
from bot.presentation.naming import Finding
from bot.presentation.plain_text import shorten
from bot.presentation.screenshot_names import kind_of
from bot.presentation.spoilers import shown_name
from bot.presentation.taught_name import TaughtName
from bot.store import BUTTONS, GuildSettings
from inference.results import Classification, ModelInfo

PANEL = "pic"
"""These buttons' name in a `custom_id`: short, because a mark takes nearly all of its 100 characters."""
VERBS: Final = {
    "more": "more",
    "why": "why",
    "dm_button": "dm",
    "feedback": "ask",
    "alt_text": "alt",
    "delete": "delete",
    "not_this": "not",
    "teach": "what",
}
"""What is pressed, by the name that a server's settings have for it. A mark leaves room for four letters."""
NOT_THIS: Final = "not_this"
"""The button under every taught name; no setting turns it off."""
LABELS: Final[Mapping[str, str]] = {**BUTTONS, NOT_THIS: N_("Not this")}
OF_THE_ANSWER: Final = frozenset({"dm_button", "delete"})
"""The buttons that are about the whole answer, and not about one image of it."""
_DELETION = struct.Struct(">QQQQ")  # asker, author, answer, source
PICK = N_("More about a picture…")
OF = ":"
"""In an option of merged answers, between the mark and the id of the message with the picture, which is in
hexadecimal: so they are within the 100 characters of a value."""


class MarkedImage(NamedTuple):
    """An image that was named, the model that did, and what the image is headed by: its file's name.

    `taught` is what its server calls it, where that fits.
    """

    mark: ImageMark
    model: ModelInfo
    heading: str
    taught: TaughtName | None = None


def buttons_for(
    outcomes: Sequence[Outcome],
    people: People,
    language: Language,
    *,
    guild: GuildSettings,
    models: Sequence[ModelInfo],
    seal: MarkSeal,
    pointless: Collection[str] = (),
    is_taught: bool = False,
) -> AnswerButtons:
    """Return the buttons that the server wants under the answer to `outcomes`, but for the `pointless`.

    `models` are those that may have named the images. `is_taught`: the server has labels of its own.
    """
    known = {model.name: model for model in models if can_be_packed(model)}
    marks = tuple(_marks(outcomes, people, language, guild.min_confidence, known))
    named = any(outcome.is_named for outcome in outcomes)
    left_out = {*pointless, *(() if is_taught else ("teach",))}
    wanted = tuple(name for name in guild.buttons if named and name not in left_out)
    return AnswerButtons(marks, len(outcomes), wanted, language, people, seal, guild.style == "compact")


@dataclass(frozen=True, slots=True)
class AnswerButtons:
    """What can be pressed under one answer.

    `marks` are the images that were named. `images` counts all images of the answer. `wanted` are the
    buttons, by the names that settings have for them. `people` may delete it. `compact`: one button or menu,
    behind which are the others.
    """

    marks: tuple[MarkedImage, ...]
    images: int
    wanted: tuple[str, ...]
    language: Language
    people: People
    seal: MarkSeal
    compact: bool = False

    def view(self) -> ui.View | None:
        """Return buttons for the one image, or a menu of several; None if there is nothing to press."""
        if self.images > 1:
            picked = bool(self.wanted) and (self.compact or not OF_THE_ANSWER.issuperset(self.wanted))
            picked = picked or any(each.taught for each in self.marks)
            shown = self.marks if picked else ()
            options = [
                _option(each, each.mark.pack(each.model, self.seal), self.language, 90) for each in shown
            ]
            return _menus(options, self)
        packed = self.marks[0].mark.pack(self.marks[0].model, self.seal) if self.marks else ""
        taught = [NOT_THIS] if self.marks and self.marks[0].taught else []
        if self.compact and self.marks and (self.wanted or taught):
            pick, label = controls.custom_id(PANEL, "pick", packed), BUTTONS["more"]
            return controls.view(controls.button(pick, self.language.gettext(label)))
        items = [
            button(name, packed, self.people, self.language, self.seal)
            for name in (*self.wanted, *taught)
            if self.marks or name in OF_THE_ANSWER
        ]
        return controls.view(*items) if items else None


class MergedPart(NamedTuple):
    """One of several answers in one message: which message it answers, who wrote that, and its buttons."""

    source_id: int
    author: str
    buttons: AnswerButtons


def merged_view(parts: Sequence[MergedPart]) -> ui.View | None:
    """Return menus of the images of merged answers, numbered through; None if there is nothing to press.

    Whoever picks an image can delete its part from there.
    """
    options: list[discord.SelectOption] = []
    before = 0
    for source_id, author, buttons in parts:
        for each in buttons.marks:
            numbered = each._replace(mark=replace(each.mark, image=before + each.mark.image))
            value = f"{numbered.mark.pack(each.model, buttons.seal)}{OF}{source_id:x}"
            options.append(_option(numbered, value, buttons.language, 50, f"{shorten(author, 32)}: "))
        before += buttons.images
    wanted = {name for part in parts for name in part.buttons.wanted}
    whole = tuple(wanted & {"dm_button"})
    taught = any(each.taught for part in parts for each in part.buttons.marks)
    shown = options if taught or wanted - {"dm_button"} else []
    return _menus(shown, replace(parts[0].buttons, wanted=whole))


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


def source_in(value: str) -> int | None:
    """Return the message whose picture is meant, from the value of an option of merged answers."""
    source = value.partition(OF)[2]
    return int(source, 16) if source else None


def heading_of(message: discord.Message, value: str) -> str:
    """Return what heads the image behind an option of this message's menus; empty if that is not told."""
    menus = (
        item for row in message.components if isinstance(row, discord.ActionRow) for item in row.children
    )
    options = (option for menu in menus if isinstance(menu, discord.SelectMenu) for option in menu.options)
    return next((option.description or "" for option in options if option.value == value), "")


def button(
    name: str,
    packed: str,
    people: People,
    language: Language,
    seal: MarkSeal,
    *,
    answer: int = 0,
    source: int | None = None,
) -> ui.Button[Any]:
    """Return the button that settings call `name`, for the image of a packed mark.

    `answer` is the message that is meant, where the button stands under another one. `source` is the message
    whose part of a merged answer is meant.
    """
    what = packed
    if name == "dm_button":
        what = f"{answer:x}" if answer else ""
    elif name == "delete":
        what = Deletion(people, answer, source or 0).pack(seal)
    return controls.button(controls.custom_id(PANEL, VERBS[name], what), language.gettext(LABELS[name]))


class Deletion(NamedTuple):
    """What a Delete button deletes: the answer it stands under, that `answer`, or what answers `source`."""

    people: People
    answer: int
    source: int

    def pack(self, seal: MarkSeal) -> str:
        """Return the numbers that `unpack` reads."""
        numbers = _DELETION.pack(self.people.asker, self.people.author, self.answer, self.source)
        return base64.b85encode(seal.seal(numbers, "deletion")).decode()

    @classmethod
    def unpack(cls, text: str, seal: MarkSeal) -> Deletion:
        """Return what `pack` packed. Raises `ValueError` for anything else."""
        packed = seal.opened(base64.b85decode(text), "deletion")
        if len(packed) != _DELETION.size:
            raise ValueError(text)
        asker, author, answer, source = _DELETION.unpack(packed)
        return cls(People(asker, author), answer, source)


def _marks(
    outcomes: Iterable[Outcome],
    people: People,
    language: Language,
    min_confidence: float,
    known: Mapping[str, ModelInfo],
) -> Iterator[MarkedImage]:
    for image, outcome in enumerate(outcomes):
        if isinstance(outcome.result, Classification) and (model := known.get(outcome.result.model)):
            finding, source = Finding.of(outcome.result, min_confidence), outcome.source
            heading = shown_name(shorten(source.filename, 50), language, spoiler=source.spoiler)
            kind = kind_of(source.filename, outcome.result.picture_kind)
            taught = outcome.taught
            mark = ImageMark(
                finding,
                image,
                source.spoiler,
                people,
                kind=kind,
                taught=taught.label if taught else None,
                few=taught is not None and taught.few,
            )
            yield MarkedImage(mark, model, heading, taught)


def _option(
    image: MarkedImage, value: str, language: Language, width: int, author: str = ""
) -> discord.SelectOption:
    own = str(LabelName(image.mark.finding.said, language, width, plain=True))
    name = image.taught.plain(width) if image.taught else own
    said = shown_name(name, language, spoiler=image.mark.spoiler)
    label = f"{image.mark.image + 1}. {author}{said}"
    return discord.SelectOption(label=label, value=value, description=image.heading)


def _menus(options: Sequence[discord.SelectOption], under: AnswerButtons) -> ui.View | None:
    items: list[ui.Item[Any]] = []
    for first in range(0, len(options), SELECT_OPTIONS):
        menu: ui.Select[Any] = ui.Select(
            custom_id=controls.custom_id(PANEL, "pick", str(first or "")),
            placeholder=under.language.gettext(PICK)[:SELECT_PLACEHOLDER],
            options=list(options[first : first + SELECT_OPTIONS]),
        )
        items.append(menu)
    if not (under.compact and items):
        whole = [name for name in BUTTONS if name in OF_THE_ANSWER and name in under.wanted]
        items += [button(name, "", under.people, under.language, under.seal) for name in whole]
    return controls.view(*items) if items else None
