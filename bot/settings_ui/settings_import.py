"""A server's settings as a file: given out, and taken in again once somebody has seen what would change.

Between an offer and its "Apply" nothing is remembered here: the offer's message carries the settings as a
file and, in its button, the hash of what they would replace. So an offer outlives a restart, and one that was
overtaken by another moderator's change is made anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import discord
from discord import ui

from bot.components import controls
from bot.download.downloader import Fetcher
from bot.i18n import N_
from bot.presses.errors import InteractionRefused
from bot.settings_ui.guild_panel import PANEL
from bot.settings_ui.setting_values import existing_in, guild_id_of
from bot.settings_ui.setting_words import SettingWords, listed
from bot.store import GuildSettings, difference, from_json, to_json
from bot.store.chosen_settings import Choices
from bot.store.settings_file import MAX_BYTES

FILE_NAME = "whatsit-settings.json"


class _OvertakenError(Exception):
    """The settings are no longer those that the offer was compared with."""


def exported(settings: GuildSettings) -> discord.File:
    """Return the file that `SettingsImport.offer` takes."""
    return discord.File(BytesIO(to_json(settings).encode()), FILE_NAME)


class SettingsImport:
    """Offers to import a file, and does so or not.

    All methods raise `InteractionRefused`, `InvalidSettings`, a `DownloadError` or a `StoreError`. Then
    nothing has changed.
    """

    def __init__(self, guilds: Choices[GuildSettings], fetcher: Fetcher) -> None:
        self._guilds = guilds
        self._fetcher = fetcher

    async def offer(
        self, interaction: discord.Interaction[Any], words: SettingWords, file: discord.Attachment
    ) -> None:
        """Show what a file would change, with a button to do so. The interaction must have been deferred."""
        wanted = await self._read(interaction, words, file)
        now = await self._guilds.get(guild_id_of(interaction))
        content = _described(words, now, wanted, N_("This is what the file would change:"))
        if now == wanted:
            await interaction.edit_original_response(content=content)
        else:
            file_again = exported(wanted)
            view = _view(words, now)
            await interaction.edit_original_response(content=content, view=view, attachments=[file_again])

    async def apply(self, interaction: discord.Interaction[Any], words: SettingWords, compared: str) -> None:
        """Do what an offer said; `compared` is the hash of the settings it was compared with."""
        guild_id, message = guild_id_of(interaction), interaction.message
        if message is None or not message.attachments:
            raise InteractionRefused(words(N_("This offer has expired. Import the file again.")))
        await interaction.response.defer()
        wanted = await self._read(interaction, words, message.attachments[0])
        before = await self._guilds.get(guild_id)

        def unless_overtaken(now: GuildSettings) -> Mapping[str, Any]:
            if _hash(now) != compared:
                raise _OvertakenError
            return {change.field: change.after for change in difference(now, wanted)}

        try:
            await self._guilds.update(guild_id, unless_overtaken)
        except _OvertakenError:
            now = await self._guilds.get(guild_id)
            title = N_(
                "Someone changed the settings in the meantime. This is what the file would change now:"
            )
            view = None if now == wanted else _view(words, now)
            await interaction.edit_original_response(content=_described(words, now, wanted, title), view=view)
        else:
            done = _described(words, before, wanted, N_("Imported. This is what changed:"))
            await interaction.edit_original_response(content=done, view=None, attachments=[])

    async def cancel(self, interaction: discord.Interaction[Any], words: SettingWords) -> None:
        """Say that nothing is imported, and take the offer away."""
        line = words(N_("Cancelled. Nothing was changed."))
        await interaction.response.edit_message(content=line, view=None, attachments=[])

    async def _read(
        self, interaction: discord.Interaction[Any], words: SettingWords, file: discord.Attachment
    ) -> GuildSettings:
        if file.size > MAX_BYTES:
            sentence = N_("That file is too large. Use one from /settings export.")
            raise InteractionRefused(words(sentence))
        data = await self._fetcher.fetch(file.url, size=file.size, document=True)
        existing = existing_in(interaction, words.config.model.allowed)
        return from_json(data, defaults=self._guilds.defaults, existing=existing)


def _described(words: SettingWords, before: GuildSettings, after: GuildSettings, title: str) -> str:
    lines = [words.change(change) for change in difference(before, after)]
    if not lines:
        return words(N_("The file matches the current settings, so there's nothing to change."))
    return listed(words(title), lines, words.language)


def _view(words: SettingWords, now: GuildSettings) -> ui.View:
    apply_id, cancel_id = controls.custom_id(PANEL, "apply", _hash(now)), controls.custom_id(PANEL, "cancel")
    return controls.view(
        controls.button(apply_id, words(N_("Apply")), discord.ButtonStyle.success),
        controls.button(cancel_id, words(N_("Cancel"))),
    )


def _hash(settings: GuildSettings) -> str:
    return hashlib.sha256(to_json(settings).encode()).hexdigest()[:32]
