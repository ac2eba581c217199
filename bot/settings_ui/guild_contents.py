"""What exists in a server now, which what was chosen earlier, or elsewhere, may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.settings_ui.setting_words import Words, language_names
from bot.store import Allowed, GuildSettings

if TYPE_CHECKING:
    import discord

    from bot.client import Whatsit
    from bot.i18n import Language

__all__ = ["alive", "allowed", "words"]


def allowed(bot: Whatsit, guild_id: int) -> Allowed:
    """What a server may choose. Channels and roles only where the bot itself is a member and sees them."""
    guild = _guild(bot, guild_id)
    return Allowed(
        models=bot.settings.model.allowed,
        languages=tuple(language_names()),
        channels=None if guild is None else {channel.id for channel in guild.channels},
        roles=None if guild is None else {role.id for role in guild.roles},
    )


def alive(bot: Whatsit, guild_id: int, settings: GuildSettings) -> GuildSettings:
    """`settings` without channels and roles that were deleted."""
    here = allowed(bot, guild_id)
    lists = (("channels", here.channels), ("ignored_roles", here.roles), ("unlimited_roles", here.roles))
    return settings.model_copy(
        update={
            field: tuple(each for each in getattr(settings, field) if each in ids)
            for field, ids in lists
            if ids is not None
        }
    )


def words(bot: Whatsit, language: Language) -> Words:
    """For a reader of `language`."""
    limits, models = bot.settings.limits, bot.models
    return Words(language, bot.classifier.info.name, limits.user_images_per_minute, models.unusable)


def _guild(bot: Whatsit, guild_id: int) -> discord.Guild | None:
    guild = bot.get_guild(guild_id)
    return None if guild is None or guild.unavailable else guild
