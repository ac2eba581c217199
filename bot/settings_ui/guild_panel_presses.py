"""What a press in the panel of a server's settings does: one small change, saved and shown at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import discord

from bot.components import controls
from bot.components.controls import Press
from bot.i18n import N_
from bot.settings_ui import guild_contents, setting_checks, settings_import
from bot.settings_ui.guild_panel import (
    ALL,
    DEFAULT,
    OVERVIEW,
    PANEL,
    SURE,
    ServerPanel,
    emoji_form,
    limits_form,
    page_of,
)
from bot.settings_ui.setting_errors import MODERATORS, OUTDATED, Refused
from bot.settings_ui.setting_words import TITLES, Words, language_names
from bot.store import GROUPS, PER_MINUTE, GuildSettings

if TYPE_CHECKING:
    from bot.client import Whatsit

    Interaction = discord.Interaction[Whatsit]

__all__ = ["may_change", "obey", "panel", "usable_emoji", "usable_language", "usable_model"]


def may_change(interaction: discord.Interaction[Any]) -> bool:
    """Whether this person may manage the server, as Discord says with this very interaction."""
    return interaction.permissions.manage_guild


def panel(bot: Whatsit, guild_id: int, words: Words, settings: GuildSettings) -> ServerPanel:
    """The panel of these settings, as far as they still mean anything in this server."""
    return ServerPanel(words, guild_contents.alive(bot, guild_id, settings), bot.settings.model.allowed)


async def obey(bot: Whatsit, interaction: Interaction, guild_id: int, words: Words, press: Press) -> None:
    """Do what was pressed, if the presser may: a panel outlives a demotion.

    Raises `Refused`, `InvalidSettings`, a `StoreError` or, of an import, a `DownloadError`; then nothing has
    changed.
    """
    if not may_change(interaction):
        raise Refused(words(MODERATORS))
    guilds, page = bot.store.guilds, press.what
    match press.verb:
        case "apply":
            await settings_import.apply(bot, interaction, words, press.what)
            return
        case "cancel":
            await settings_import.cancel(interaction, words)
            return
        case "ask":
            form = emoji_form if press.what == "emoji" else limits_form
            await interaction.response.send_modal(form(words, await guilds.get(guild_id)))
            return
        case "open" | "back" if page in (*GROUPS, OVERVIEW, SURE):
            settings = await guilds.get(guild_id)
        case "set" if page in GuildSettings.model_fields:
            settings = await guilds.update(guild_id, _chosen(bot, words, press))
            page = page_of(press.what)
        case "list" if page in GuildSettings.model_fields:
            settings = await _picked(bot, interaction, guild_id, press)
            page = page_of(press.what)
        case "typed" if page in ("emoji", "limits"):
            settings = await guilds.update(guild_id, await _typed(bot, guild_id, words, press))
            page = "how" if press.what == "emoji" else "quotas"
        case "reset" if page in (*GROUPS, ALL):
            settings = await guilds.reset(guild_id, GROUPS.get(page))
            page = OVERVIEW if page == ALL else page
        case _:
            raise Refused(words(OUTDATED))
    await interaction.response.edit_message(view=panel(bot, guild_id, words, settings).page(page))


def _chosen(bot: Whatsit, words: Words, press: Press) -> Mapping[str, Any]:
    """From a menu of one value, or, of the buttons, several."""
    field, values = press.what, press.values
    if field == "buttons":
        return {field: values}
    value = None if values[0] == DEFAULT else values[0]
    if field == "model":
        usable_model(bot, words, value)
    if field == "language":
        usable_language(words, value)
    return {field: value}


async def _picked(bot: Whatsit, interaction: Interaction, guild_id: int, press: Press) -> GuildSettings:
    """What was ticked is added and what was unticked is removed: the list may have grown in the meantime."""
    picked = {int(value) for value in press.values}
    before = controls.shown(interaction.message, controls.custom_id(PANEL, "list", press.what))
    return await bot.store.guilds.update(
        guild_id,
        lambda now: {press.what: tuple({*getattr(now, press.what), *picked} - (before - picked))},
    )


async def _typed(bot: Whatsit, guild_id: int, words: Words, press: Press) -> Mapping[str, Any]:
    if press.what == "emoji":
        return {"emoji": await usable_emoji(bot, guild_id, words, press.typed["emoji"])}
    return {field: _number(words, field, text) for field, text in press.typed.items()}


def _number(words: Words, field: str, text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= PER_MINUTE:
        raise Refused(
            words(
                N_("{title}: “{given}” cannot be. Give a whole number from 1 to {most}, or leave it empty."),
                title=words(TITLES[field]),
                given=discord.utils.escape_markdown(text),
                most=PER_MINUTE,
            )
        )
    return int(text)


async def usable_emoji(bot: Whatsit, guild_id: int, words: Words, text: str) -> str:
    """The emoji in `text`. Raises `Refused` if it is none, or of a server that the bot is not in."""
    text = text.strip()
    emoji = discord.PartialEmoji.from_str(text)
    if emoji.id is None and not await asyncio.to_thread(_is_emoji, text):
        raise Refused(
            words(
                N_("“{given}” is not one emoji. Give one, such as 🔍 or one of this server."),
                given=discord.utils.escape_markdown(text),
            )
        )
    if emoji.id is not None and not await _has_emoji(bot, guild_id, emoji.id):
        raise Refused(words(N_("I'm not on the server which that emoji is from. Choose one of this server.")))
    return text if emoji.id is None else str(emoji)


def _is_emoji(text: str) -> bool:
    from emoji import is_emoji  # noqa: PLC0415 - a table of them all, which few ever need

    return is_emoji(text)


async def _has_emoji(bot: Whatsit, guild_id: int, emoji_id: int) -> bool:
    if bot.get_emoji(emoji_id) is not None:
        return True
    guild = bot.get_guild(guild_id)
    try:  # no event tells Whatsit of an emoji that is new
        return guild is not None and await guild.fetch_emoji(emoji_id) is not None
    except discord.NotFound:
        return False


def usable_model(bot: Whatsit, words: Words, name: str | None) -> None:
    """Raises `Refused` unless the owner allows this model; None, the usual one, always is."""
    models = bot.settings.model.allowed
    if name is not None and name not in models:
        raise Refused(setting_checks.no_model(name, models, words.language))


def usable_language(words: Words, name: str | None) -> None:
    """Raises `Refused` unless there is this language; None always is."""
    if name is not None and name not in language_names():
        raise Refused(setting_checks.no_language(name, words.language))
