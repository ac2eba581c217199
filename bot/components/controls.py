"""Buttons, menus, forms and the views that hold them. What a press of one means is in its `custom_id`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import discord
from discord import app_commands, ui
from discord.app_commands import locale_str

from bot import discord_limits as limits

PICKERS: Final[Mapping[str, tuple[Callable[..., ui.Item[Any]], discord.SelectDefaultValueType]]] = {
    "channels": (ui.ChannelSelect, discord.SelectDefaultValueType.channel),
    "roles": (ui.RoleSelect, discord.SelectDefaultValueType.role),
}
V = TypeVar("V", bound=ui.LayoutView | ui.View | ui.Modal)


def custom_id(panel: str, verb: str, what: str = "") -> str:
    """Return the `custom_id` of a control of `panel`, which `bot.presses.Press` reads when it is used."""
    return f"whatsit:{panel}:{verb}:{what}"


def choices(table: Mapping[str, str]) -> list[app_commands.Choice[str]]:
    """Return the choices of a command's option for `{value: sentence}`; Discord shows them translated."""
    return [app_commands.Choice(name=locale_str(sentence), value=value) for value, sentence in table.items()]


def matching_choices(names: Mapping[str, str], typed: str) -> list[app_commands.Choice[str]]:
    """Return those of `{value: name}` in which what somebody has typed occurs, as many as Discord takes."""
    typed = typed.casefold()
    return [
        app_commands.Choice(name=name[: limits.CHOICE_NAME], value=value)
        for value, name in names.items()
        if typed in name.casefold() or typed in value.casefold()
    ][: limits.COMMAND_CHOICES]


def button(
    identity: str, label: str, style: discord.ButtonStyle = discord.ButtonStyle.secondary
) -> ui.Button[Any]:
    """Return a button; its label is cut to Discord's limit."""
    return ui.Button(custom_id=identity, label=label[: limits.BUTTON_LABEL], style=style)


def select(
    identity: str,
    options: Mapping[str, str],
    chosen: Iterable[str] = (),
    *,
    descriptions: Mapping[str, str] | None = None,
    several: bool = False,
) -> ui.Select[Any]:
    """Return a menu of `{value: label}`, as many as fit; `several`: none, some or all may be chosen."""
    described, ticked = descriptions or {}, set(chosen)
    offered = [
        discord.SelectOption(
            value=value,
            label=label[: limits.OPTION_LABEL],
            description=described.get(value, "")[: limits.OPTION_DESCRIPTION] or None,
            default=value in ticked,
        )
        for value, label in options.items()
    ][: limits.SELECT_OPTIONS]
    least, most = (0, len(offered)) if several else (1, 1)
    return ui.Select(
        custom_id=identity, min_values=least, max_values=most, required=not several, options=offered
    )


def pick(things: str, identity: str, chosen: Iterable[int], placeholder: str) -> ui.Item[Any]:
    """Return a menu of the server's channels or roles, with those ticked that are chosen, at most 25.

    It offers channels of all types: to leave threads out, a menu must name the others, and Discord's own
    description of its interface does not know media channels.
    """
    menu, kind = PICKERS[things]
    return menu(
        custom_id=identity,
        placeholder=placeholder,
        min_values=0,
        max_values=limits.SELECT_OPTIONS,
        default_values=[discord.SelectDefaultValue(id=each, type=kind) for each in chosen],
    )


def view(*items: ui.Item[Any]) -> ui.View:
    """Return a view of `items`, for below a message."""
    return unregistered(ui.View(timeout=None), *items)


def layout(*items: ui.Item[Any]) -> ui.LayoutView:
    """Return a message that consists of one box with all of `items` in it."""
    return unregistered(ui.LayoutView(timeout=None), ui.Container(*items))


def form(identity: str, title: str, *fields: ui.Label[Any]) -> ui.Modal:
    """Return a form; its title and its fields' labels and descriptions are cut to Discord's limits."""
    for field in fields:
        field.text = field.text[: limits.FIELD_LABEL]
        field.description = field.description and field.description[: limits.FIELD_DESCRIPTION]
    modal = ui.Modal(title=title[: limits.MODAL_TITLE], custom_id=identity, timeout=None)
    return unregistered(modal, *fields)


def unregistered(view: V, *items: ui.Item[Any]) -> V:
    """Return `view` with `items` in it, stopped, so that discord.py does not keep it in memory.

    Presses need no view: `bot.cogs.presses` finds out by the `custom_id` what they mean.
    """
    for item in items:
        view.add_item(item)
    view.stop()
    return view
