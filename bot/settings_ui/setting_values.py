"""From what people choose, type or give as a command's options to what a setting becomes.

Whether what is given exists is checked here: only Discord and the owner's configuration know. The store
checks the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import discord
from discord import app_commands

from bot.i18n import N_, Language
from bot.presses.errors import InteractionRefused
from bot.presses.press import Press
from bot.settings_ui.setting_faults import unknown_name
from bot.settings_ui.setting_words import DEFAULT, SettingWords, language_names
from bot.store import FIELDS, PAGES, Existing, GuildSettings, without_gone
from bot.store.setting_fields import SettingField

Change = Callable[[GuildSettings], Mapping[str, Any]]
"""From what stands to what is to be changed, for `Choices.update`."""


def guild_id_of(interaction: discord.Interaction[Any]) -> int:
    """Return the server's id. Raises `RuntimeError` outside servers, where Discord offers no such command."""
    if interaction.guild_id is None:
        raise RuntimeError("settings of a server were asked for outside one")
    return interaction.guild_id


def existing_in(interaction: discord.Interaction[Any], models: Collection[str]) -> Existing:
    """Return what settings may name: `models`, the languages, and the channels and roles of the server.

    Channels and roles are left out where they are not known: the bot is no member, or the server is away.
    """
    guild = interaction.client.get_guild(guild_id_of(interaction))
    names: Existing = {"model": models, "language": tuple(language_names())}
    if guild is None or guild.unavailable:
        return names
    channels, roles = {channel.id for channel in guild.channels}, {role.id for role in guild.roles}
    return {**names, "channels": channels, "roles": roles}


def present(interaction: discord.Interaction[Any], settings: GuildSettings) -> GuildSettings:
    """Return the settings without the channels and roles that the server no longer has."""
    return without_gone(settings, existing_in(interaction, ()))


async def from_options(
    interaction: discord.Interaction[Any], words: SettingWords, page: str, options: Mapping[str, Any]
) -> Change:
    """Return the change that the options of the command `/settings PAGE` ask for; None is not given.

    Raises `InteractionRefused`.
    """
    given: dict[str, Sequence[Any]] = {}
    for name in PAGES[page]:
        values = [_plain(options[option]) for option in FIELDS[name].options]
        if any(value is not None for value in values):
            given[name] = values if len(values) > 1 else [await _usable(interaction, words, name, values[0])]
    return lambda now: {name: _changed(name, getattr(now, name), values) for name, values in given.items()}


def _changed(name: str, now: Any, given: Sequence[Any]) -> Any:
    match FIELDS[name].kind:
        case "channels" | "roles":
            added, removed = given
            return tuple({*now, added or removed} - {removed})
        case "choices":
            wishes = zip(FIELDS[name].words, given, strict=True)
            return tuple(each for each, wish in wishes if (each in now if wish is None else wish))
        case "percentage":
            return given[0] / 100
        case "limit":
            return given[0] or None
    return given[0]


async def from_menu(
    interaction: discord.Interaction[Any], words: SettingWords, press: Press
) -> Mapping[str, Any]:
    """Return the change that a choice from a setting's menu asks for. Raises `InteractionRefused`."""
    name = press.what
    if FIELDS[name].kind == "choices":
        return {name: press.values}
    return {name: await _usable(interaction, words, name, press.values[0])}


def from_pick(press: Press) -> Change:
    """Return the change that a choice of channels or roles asks for.

    What was ticked is added and what was unticked is removed: the list may have grown in the meantime.
    """
    picked = {int(value) for value in press.values}
    return lambda now: {press.what: tuple({*getattr(now, press.what), *picked} - (press.ticked - picked))}


async def from_form(
    interaction: discord.Interaction[Any], words: SettingWords, press: Press
) -> Mapping[str, Any]:
    """Return the change that a form asks for. Raises `InteractionRefused`."""
    return {name: await _usable(interaction, words, name, text.strip()) for name, text in press.typed.items()}


def usable_language(name: str, language: Language) -> str | None:
    """Return a language's name, None for `DEFAULT`. Raises `InteractionRefused` if there is no such one."""
    return _usable_name("language", name, tuple(language_names()), language)


async def _usable(interaction: discord.Interaction[Any], words: SettingWords, name: str, given: Any) -> Any:
    match FIELDS[name].kind:
        case "model" | "language":
            existing = [value for value in words.names(name) if value != DEFAULT]
            return _usable_name(name, given, existing, words.language)
        case "emoji":
            return await _usable_emoji(interaction, words, given.strip())
        case "limit" if isinstance(given, str):
            return _usable_limit(words, FIELDS[name], given)
    return given


def _plain(option: Any) -> Any:
    if isinstance(option, app_commands.Choice):
        return option.value
    return option.id if isinstance(option, discord.Role) else option


def _usable_name(name: str, given: str, existing: Sequence[str], language: Language) -> str | None:
    if given != DEFAULT and given not in existing:
        raise InteractionRefused(unknown_name(name, given, existing, language))
    return None if given == DEFAULT else given


def _usable_limit(words: SettingWords, field: SettingField, text: str) -> int | None:
    if text and not (text.isdecimal() and field.least <= int(text) <= field.most):
        raise InteractionRefused(
            words(
                N_(
                    "{title}: “{given}” isn't valid. Enter a whole number from 1 to {most}, or leave it "
                    "empty."
                ),
                title=words(field.title),
                given=discord.utils.escape_markdown(text),
                most=words.language.number(field.most),
            )
        )
    return int(text) if text else None


async def _usable_emoji(interaction: discord.Interaction[Any], words: SettingWords, text: str) -> str:
    emoji = discord.PartialEmoji.from_str(text)
    if emoji.id is None and not await asyncio.to_thread(_is_emoji, text):
        raise InteractionRefused(
            words(
                N_("“{given}” isn't an emoji. Choose one, such as 🔍 or one from this server."),
                given=discord.utils.escape_markdown(text),
            )
        )
    if emoji.id is not None and not await _has_emoji(interaction, emoji.id):
        sentence = N_("That emoji is from a server I'm not on. Choose one from this server.")
        raise InteractionRefused(words(sentence))
    return str(emoji) if emoji.id else text


def _is_emoji(text: str) -> bool:
    from emoji import is_emoji  # noqa: PLC0415 - a table of them all, which few ever need

    return is_emoji(text)


async def _has_emoji(interaction: discord.Interaction[Any], emoji_id: int) -> bool:
    if interaction.client.get_emoji(emoji_id) is not None:
        return True
    guild = interaction.client.get_guild(interaction.guild_id or 0)
    try:  # no event tells Whatsit of an emoji that is new
        return guild is not None and await guild.fetch_emoji(emoji_id) is not None
    except discord.NotFound:
        return False
