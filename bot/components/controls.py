"""The parts that panels are made of. All a press needs is in its `custom_id`: `whatsit:PANEL:VERB:WHAT`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar, cast

import discord
from discord import app_commands, ui
from discord.app_commands import locale_str

__all__ = [
    "LISTED",
    "Press",
    "button",
    "choices",
    "choose",
    "custom_id",
    "forgotten",
    "layout",
    "matching",
    "pick_channels",
    "pick_roles",
    "row",
    "shown",
    "view",
]

LISTED = 25
"""What a select menu can hold: https://docs.discord.com/developers/components/reference#string-select"""
THREADS = frozenset(
    kind.value
    for kind in (
        discord.ChannelType.news_thread,
        discord.ChannelType.public_thread,
        discord.ChannelType.private_thread,
    )
)
LABEL, DESCRIPTION = 100, 100
"""Characters of an option of a select menu."""

V = TypeVar("V", bound=ui.LayoutView | ui.View)


class Press(NamedTuple):
    """A button, a choice or a form that somebody sent, and what they chose or typed."""

    verb: str
    what: str
    values: tuple[str, ...]
    typed: Mapping[str, str]

    @classmethod
    def of(cls, interaction: discord.Interaction[Any], panel: str) -> Press | None:
        """What was pressed, if it belongs to `panel`."""
        if interaction.type not in (discord.InteractionType.component, discord.InteractionType.modal_submit):
            return None
        data = cast("Mapping[str, Any]", interaction.data or {})
        parts = str(data.get("custom_id", "")).split(":", 3)
        if parts[:2] != ["whatsit", panel] or len(parts) != 4:  # noqa: PLR2004
            return None
        channels = data.get("resolved", {}).get("channels", {})
        values = tuple(_watched(value, channels.get(value, {})) for value in data.get("values", ()))
        return cls(parts[2], parts[3], values, dict(_typed(data.get("components", ()))))


def _watched(value: str, channel: Mapping[str, Any]) -> str:
    """What was chosen; of a thread, the channel that it is in."""
    return str(channel["parent_id"]) if channel.get("type") in THREADS else value


def _typed(components: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    for component in components:
        inner = component.get("component", component)
        yield inner["custom_id"], inner.get("value", "")


def choices(table: Mapping[str, str]) -> list[app_commands.Choice[str]]:
    """Of a command's option: `{value: sentence}`, shown to each in their language."""
    return [app_commands.Choice(name=locale_str(sentence), value=value) for value, sentence in table.items()]


def matching(options: Mapping[str, str], typed: str) -> list[app_commands.Choice[str]]:
    """Those of `{value: name}` that somebody may mean who has `typed` this much, at most 25."""
    typed = typed.casefold()
    return [
        app_commands.Choice(name=name[:LABEL], value=value)
        for value, name in options.items()
        if typed in name.casefold() or typed in value.casefold()
    ][:LISTED]


def custom_id(panel: str, verb: str, what: str = "") -> str:
    """What `Press.of` reads."""
    return f"whatsit:{panel}:{verb}:{what}"


def button(
    identity: str,
    label: str,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    *,
    disabled: bool = False,
) -> ui.Button[Any]:
    """A button; its label is cut to Discord's limit."""
    return ui.Button(custom_id=identity, label=label[:80], style=style, disabled=disabled)


def choose(
    identity: str,
    options: Mapping[str, str],
    chosen: Iterable[str],
    *,
    descriptions: Mapping[str, str] | None = None,
    several: bool = False,
) -> ui.Select[Any]:
    """A menu of `{value: label}`, at most 25; `several`: none, some or all may be chosen."""
    options = dict(list(options.items())[:LISTED])
    chosen = set(chosen)
    return ui.Select(
        custom_id=identity,
        min_values=0 if several else 1,
        max_values=len(options) if several else 1,
        required=not several,
        options=[
            discord.SelectOption(
                value=value,
                label=label[:LABEL],
                description=(descriptions or {}).get(value, "")[:DESCRIPTION] or None,
                default=value in chosen,
            )
            for value, label in options.items()
        ],
    )


def pick_channels(identity: str, chosen: Iterable[int], placeholder: str) -> ui.ChannelSelect[Any]:
    """A menu of this server's channels, with at most `LISTED` ticked. Of a thread, `Press` gives its channel.

    Of all types: to leave threads out, a menu must name the others, and Discord's own description of its
    interface does not know media channels.
    """
    return ui.ChannelSelect(
        custom_id=identity,
        placeholder=placeholder,
        min_values=0,
        max_values=LISTED,
        default_values=_ticked(chosen, discord.SelectDefaultValueType.channel),
    )


def pick_roles(identity: str, chosen: Iterable[int], placeholder: str) -> ui.RoleSelect[Any]:
    """A menu of this server's roles, with at most `LISTED` ticked."""
    return ui.RoleSelect(
        custom_id=identity,
        placeholder=placeholder,
        min_values=0,
        max_values=LISTED,
        default_values=_ticked(chosen, discord.SelectDefaultValueType.role),
    )


def _ticked(ids: Iterable[int], kind: discord.SelectDefaultValueType) -> list[discord.SelectDefaultValue]:
    return [discord.SelectDefaultValue(id=each, type=kind) for each in ids]


def shown(message: discord.Message | None, identity: str) -> frozenset[int]:
    """The ids that the menu in this message had ticked when it was sent."""
    if message is None:
        return frozenset()
    view = ui.LayoutView.from_message(message, timeout=None)
    view.stop()
    return frozenset(
        ticked.id
        for item in view.walk_children()
        if isinstance(item, ui.ChannelSelect | ui.RoleSelect) and item.custom_id == identity
        for ticked in item.default_values
    )


def row(*items: ui.Item[Any]) -> ui.ActionRow[Any]:
    """Up to five buttons, or one menu."""
    return ui.ActionRow(*items)


def view(*items: ui.Item[Any]) -> ui.View:
    """`items` under a message, which discord.py does not keep."""
    return forgotten(ui.View(timeout=None), *items)


def layout(*items: ui.Item[Any]) -> ui.LayoutView:
    """One box with all of `items` in it."""
    return forgotten(ui.LayoutView(timeout=None), ui.Container(*items))


def forgotten(view: V, *items: ui.Item[Any]) -> V:
    """`view` with `items` in it, which discord.py does not keep: presses find their way by `custom_id`."""
    for item in items:
        view.add_item(item)
    view.stop()
    return view
