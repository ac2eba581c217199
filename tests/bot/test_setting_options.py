"""The options of `/settings where`, `how`, `what` and `quotas` are those that the table of settings names."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from discord import app_commands

from bot.cogs.guild_settings import GuildSettingsCog
from bot.store import FIELDS, PAGES
from bot.store.setting_fields import SettingField

Type = discord.AppCommandOptionType
TYPES = {
    "choice": Type.string,
    "choices": Type.boolean,
    "number": Type.integer,
    "percentage": Type.integer,
    "limit": Type.integer,
    "emoji": Type.string,
    "model": Type.string,
    "language": Type.string,
    "channels": Type.channel,
    "roles": Type.role,
}
"""What Discord asks for, for a setting of each kind."""
BOUNDS = {"percentage": (0, 100), "emoji": (1, 64), "model": (1, 100), "language": (1, 100)}
COMMANDS: dict[str, app_commands.Command[Any, ..., Any]] = {
    command.name: command
    for command in GuildSettingsCog.__cog_app_commands__
    if isinstance(command, app_commands.Command)
}
OPTIONS = [
    (page, option, FIELDS[name])
    for page, names in PAGES.items()
    for name in names
    for option in FIELDS[name].options
]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_a_command_with_an_option_for_all_that_can_be_set(page: str) -> None:
    named = [option for each, option, _ in OPTIONS if each == page]
    assert [parameter.name for parameter in COMMANDS[page].parameters] == named


@pytest.mark.parametrize(("page", "option", "field"), OPTIONS)
def test_an_option_takes_what_its_setting_can_be(page: str, option: str, field: SettingField) -> None:
    parameter = COMMANDS[page].get_parameter(option)
    assert parameter is not None
    assert not parameter.required
    assert parameter.type is TYPES[field.kind]
    words = field.words if field.kind == "choice" else {}
    assert {choice.value: choice.name for choice in parameter.choices} == words
    bounds = BOUNDS.get(field.kind, (None, None))
    if field.most and field.kind != "percentage":
        bounds = (0 if field.unset else field.least, field.most)  # where it can be unset, 0 does so
    assert (parameter.min_value, parameter.max_value) == bounds
    assert parameter.autocomplete == (field.kind in ("model", "language"))


@pytest.mark.parametrize("field", [field for field in FIELDS.values() if field.kind == "choices"])
def test_of_several_choices_each_has_its_option(field: SettingField) -> None:
    assert field.options == tuple(field.words)


def test_a_page_can_be_reset_alone_or_with_all_others() -> None:
    parameter = COMMANDS["reset"].get_parameter("settings")
    assert parameter is not None
    assert [choice.value for choice in parameter.choices] == ["all", *PAGES]
