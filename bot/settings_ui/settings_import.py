"""A server's settings as a file: given out, and taken in again once somebody has seen what would change.

Between an offer and its "Apply" nothing is remembered here: the offer's message carries the settings as a
file and, in its button, the hash of what they would replace. So an offer outlives a restart, and one that was
overtaken by another moderator's change is made anew.
"""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot.components import controls
from bot.i18n import N_
from bot.settings_ui import guild_contents
from bot.settings_ui.guild_panel import PANEL
from bot.settings_ui.setting_errors import Refused, listed
from bot.settings_ui.setting_words import Words
from bot.store import GuildSettings, changes, difference, from_json, to_json
from bot.store.exchange import MAX_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.client import Whatsit

__all__ = ["apply", "cancel", "exported", "offer"]

FILE_NAME = "whatsit-settings.json"


class _OvertakenError(Exception):
    """The settings are no longer those that the offer was compared with."""


def exported(settings: GuildSettings) -> discord.File:
    """The file that `offer` takes."""
    return discord.File(BytesIO(to_json(settings).encode()), FILE_NAME)


async def offer(
    bot: Whatsit, interaction: discord.Interaction[Whatsit], words: Words, file: discord.Attachment
) -> None:
    """Show what a file would change, with a button to do so. The interaction must have been deferred.

    Raises `Refused`, `InvalidSettings`, a `DownloadError` or a `StoreError`.
    """
    guild_id = _guild_id(interaction)
    wanted = await _read(bot, guild_id, words, file)
    now = await bot.store.guilds.get(guild_id)
    view = _view(words, now) if difference(now, wanted) else None
    content = _described(words, now, wanted, N_("The file would change this:"))
    if view is None:
        await interaction.edit_original_response(content=content)
    else:
        await interaction.edit_original_response(content=content, view=view, attachments=[exported(wanted)])


async def apply(bot: Whatsit, interaction: discord.Interaction[Whatsit], words: Words, compared: str) -> None:
    """Do what an offer said; `compared` is the hash of the settings it was compared with.

    Raises as `offer` does.
    """
    guild_id, message = _guild_id(interaction), interaction.message
    if message is None or not message.attachments:
        raise Refused(words(N_("This offer has expired. Import the file again.")))
    await interaction.response.defer()
    wanted = await _read(bot, guild_id, words, message.attachments[0])
    before = await bot.store.guilds.get(guild_id)

    def unless_overtaken(now: GuildSettings) -> Mapping[str, Any]:
        if _hash(now) != compared:
            raise _OvertakenError
        return changes(now, wanted)

    try:
        await bot.store.guilds.update(guild_id, unless_overtaken)
    except _OvertakenError:
        now = await bot.store.guilds.get(guild_id)
        title = N_("The settings were changed meanwhile. Now the file would change this:")
        view = _view(words, now) if difference(now, wanted) else None
        await interaction.edit_original_response(content=_described(words, now, wanted, title), view=view)
    else:
        done = _described(words, before, wanted, N_("Imported. This has changed:"))
        await interaction.edit_original_response(content=done, view=None, attachments=[])


async def cancel(interaction: discord.Interaction[Whatsit], words: Words) -> None:
    """Nothing is imported."""
    line = words(N_("Cancelled. Nothing was changed."))
    await interaction.response.edit_message(content=line, view=None, attachments=[])


async def _read(bot: Whatsit, guild_id: int, words: Words, file: discord.Attachment) -> GuildSettings:
    if file.size > MAX_CHARACTERS:
        raise Refused(
            words(N_("That file is too large to be settings. Import one that /settings export gave."))
        )
    data = await bot.fetcher.fetch(file.url, size=file.size, document=True)
    return from_json(data, defaults=bot.store.guilds.defaults, allowed=guild_contents.allowed(bot, guild_id))


def _described(words: Words, before: GuildSettings, after: GuildSettings, title: str) -> str:
    found = difference(before, after)
    if not found:
        return words(N_("The file holds just what is set already. There is nothing to change."))
    lines = tuple(words.change(change.field, change.before, change.after) for change in found)
    return listed(words(title), lines, words.language)


def _view(words: Words, now: GuildSettings) -> ui.View:
    apply_id, cancel_id = (
        controls.custom_id(PANEL, "apply", _hash(now)),
        controls.custom_id(PANEL, "cancel"),
    )
    return controls.view(
        controls.button(apply_id, words(N_("Apply")), discord.ButtonStyle.success),
        controls.button(cancel_id, words(N_("Cancel"))),
    )


def _hash(settings: GuildSettings) -> str:
    return hashlib.sha256(to_json(settings).encode()).hexdigest()[:32]


def _guild_id(interaction: discord.Interaction[Any]) -> int:
    if interaction.guild_id is None:
        raise RuntimeError("settings are a server's")
    return interaction.guild_id
