"""Decide what applies to one answer: the server's settings, a member's preferences, the owner's defaults.

The owner's settings are the defaults of the store, so a server that chose nothing has them already.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Literal

import discord

from bot.i18n import Language, languages
from bot.policy.opt_out import is_left_alone
from bot.store import GuildSettings, MemberPreferences, Store, StoreError

log = logging.getLogger(__name__)

Unasked = Literal["reply", "silent", "react", "direct", "nothing"]
"""What an image gets that nobody asked about; `direct` is a direct message to its author."""


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds for one person in one place.

    `guild` is what holds for the server as a whole (for direct messages the owner's defaults): top, minimum
    confidence, model, buttons, emoji, quotas and where to watch are the same for everybody.
    """

    guild: GuildSettings
    unasked: Unasked
    """What their image in a watched channel gets."""
    private: bool
    """What they ask for is for their eyes only, where Discord can do that: an interaction's answer is
    ephemeral, and the answer to a mention a direct message."""
    direct: bool
    """What they ask for comes by direct message."""
    own_language: Language
    """For what only they read."""
    shared_language: Language
    """For what everybody there reads: as theirs, unless only the server has chosen one."""


async def in_force_for(
    store: Store,
    user_id: int,
    guild_id: int | None = None,
    *,
    user_locale: discord.Locale | None = None,
    guild_locale: discord.Locale | None = None,
) -> Effective:
    """Return what holds for a person in a server, or in a direct message; no query once both are known.

    `user_locale` is what an interaction tells; of who writes a message Discord tells none. Raises a
    `StoreError`.
    """
    guild = store.guilds.defaults if guild_id is None else await store.guilds.get(guild_id)
    member = await store.members.get(user_id)
    return in_force(guild, member, user_locale=user_locale, guild_locale=guild_locale)


async def guild_settings(store: Store, guild_id: int | None) -> GuildSettings:
    """Return what holds for a server, or the owner's defaults in direct messages and if the store fails."""
    if guild_id is None:
        return store.guilds.defaults
    try:
        return await store.guilds.get(guild_id)
    except StoreError as error:
        log.warning(
            "The settings of the server %d could not be read; the owner's defaults hold. %s", guild_id, error
        )
        return store.guilds.defaults


async def language_of(store: Store, interaction: discord.Interaction[Any]) -> Language:
    """Return the language of whoever pressed or commanded; without what was chosen if the store fails."""
    return await language_for(
        store,
        interaction.user.id,
        interaction.guild_id,
        user_locale=interaction.locale,
        guild_locale=interaction.guild_locale,
    )


async def language_for(
    store: Store,
    user_id: int,
    guild_id: int | None,
    *,
    user_locale: discord.Locale | None = None,
    guild_locale: discord.Locale | None = None,
) -> Language:
    """Return the language for what only this person reads, as `in_force_for`; it raises nothing."""
    try:
        wishes = await in_force_for(
            store, user_id, guild_id, user_locale=user_locale, guild_locale=guild_locale
        )
    except StoreError as error:
        log.warning("The language of the member %d could not be read. %s", user_id, error)
        return languages.of(user_locale, guild_locale)
    return wishes.own_language


def in_force(
    guild: GuildSettings,
    member: MemberPreferences,
    *,
    user_locale: discord.Locale | None = None,
    guild_locale: discord.Locale | None = None,
) -> Effective:
    """Combine what is known already into what holds.

    A language that somebody chose comes before what their Discord tells, and that before the server's.
    """
    return Effective(
        guild=guild,
        unasked=_unasked(guild, member),
        private=member.delivery == "private",
        direct=member.delivery == "direct",
        own_language=languages.of(member.language, user_locale, guild.language, guild_locale),
        shared_language=languages.of(member.language, guild.language, user_locale, guild_locale),
    )


def _unasked(guild: GuildSettings, member: MemberPreferences) -> Unasked:
    if is_left_alone(member) or guild.how == "on_demand" or member.delivery == "private":
        return "nothing"  # no answer in a channel is private, and a direct message was not asked for
    if guild.how == "react":
        return "react"
    if member.delivery == "direct":
        return "direct"
    return "nothing" if guild.how == "direct" else guild.how
