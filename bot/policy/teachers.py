"""Decide who may teach Whatsit a server's own words."""

from __future__ import annotations

from typing import Any

import discord

from bot.policy.audience import role_ids
from bot.store import GuildSettings


async def may_teach(interaction: discord.Interaction[Any], settings: GuildSettings) -> bool:
    """Return whether the person may teach: with Manage Server always, else with a role that settings name.

    Raises what discord.py raises when Discord cannot be asked for somebody's roles.
    """
    if interaction.permissions.manage_guild:
        return True
    if interaction.guild_id is None or not settings.teachers:
        return False
    return not (await role_ids(interaction.guild, interaction.user)).isdisjoint(settings.teachers)
