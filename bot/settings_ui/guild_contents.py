"""The server that an interaction comes from: its id, and what its settings may name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import discord

from bot.settings_ui.setting_words import language_names
from bot.store import Existing, GuildSettings, without_gone

__all__ = ["existing_in", "guild_id_of", "present"]


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
