"""One press of a button, one choice from a menu or one form that was sent, and what handles it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, NamedTuple, Self, cast

import discord
from discord import app_commands, ui

from bot.i18n import Language
from bot.presses.errors import Sentences

CUSTOM_ID: Final = re.compile("whatsit:(?P<panel>[^:]*):(?P<verb>[^:]*):(?P<what>.*)")
"""What `bot.components.controls.custom_id` writes."""
MENUS = (ui.Select, ui.ChannelSelect, ui.RoleSelect)


class Press(NamedTuple):
    """What was pressed, by the parts of its `custom_id`, and what was chosen, ticked before, or typed.

    `values` are the values of a menu's options, or ids as text; of a thread, the id of its channel. `ticked`:
    the ids that the menu had ticked when it was sent. `typed`: the texts of a form, and what was
    chosen from its menus, by the ids of its fields.
    """

    panel: str
    verb: str
    what: str
    values: tuple[str, ...] = ()
    ticked: frozenset[int] = frozenset()
    typed: Mapping[str, str] = {}

    @classmethod
    def of(cls, interaction: discord.Interaction[Any], item: ui.Item[Any] | None = None) -> Self | None:
        """Read an interaction with `item`, or with a form; None if it is not of ours."""
        data = cast("Mapping[str, Any]", interaction.data or {})
        match = CUSTOM_ID.fullmatch(str(data.get("custom_id", "")))
        if match is None:
            return None
        panel, verb, what = match.groups()
        values = tuple(map(_text, item.values)) if isinstance(item, MENUS) else ()
        ticked = item.default_values if isinstance(item, ui.ChannelSelect | ui.RoleSelect) else ()
        typed = dict(_typed(data.get("components", ())))
        return cls(panel, verb, what, values, frozenset(each.id for each in ticked), typed)


def _text(value: Any) -> str:
    if isinstance(value, app_commands.AppCommandThread):
        return str(value.parent_id)
    return value if isinstance(value, str) else str(value.id)


def _typed(components: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    for component in components:
        inner = component.get("component", component)
        # A menu in a form has a list of values, of which ours have one at most.
        yield inner["custom_id"], inner.get("value") or next(iter(inner.get("values") or ()), "")


class PressHandler(ABC):
    """What the controls of one panel do. `bot.cogs.presses` calls it for each press.

    `panel` is the panel's name in a `custom_id`; `sentences` says what people hear of each error.
    """

    panel: ClassVar[str]
    sentences: ClassVar[Sentences]

    @abstractmethod
    def check(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:
        """Raise `InteractionRefused` if this person may not press this."""

    @abstractmethod
    async def act(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:
        """Do what was pressed, and answer in `language`.

        Raises `PressOutdated` for what only another version of Whatsit offers, and the errors of `sentences`.
        """
