"""Whom Whatsit listens to, where, and what is a question to it; decided without asking Discord."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from bot.intake.message_images import images_of

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = ["is_asked", "is_heard", "places", "replied_to", "role_ids"]


def is_heard(bot: Whatsit, message: discord.Message) -> bool:
    """People are; bots and webhooks only if the owner listed them; the bot itself never."""
    if message.author == bot.user:
        return False
    if message.webhook_id is not None:
        return message.application_id in bot.settings.watch.applications
    return not message.author.bot or message.author.id in bot.settings.watch.applications


def is_asked(bot: Whatsit, message: discord.Message) -> bool:
    """In a direct message, or where the message names the bot or its role.

    To Discord a reply is a mention of its addressee. Here only what was typed counts, and a reply to an
    answer is small talk unless it brings images of its own.
    """
    me = bot.user
    if me is None:
        return False
    replied = replied_to(message)
    if replied and replied.author == me:
        return bool(images_of(message, bot.settings.watch))
    if message.guild is None or me.id in message.raw_mentions:
        return True
    role = message.guild.self_role
    return role is not None and role in message.role_mentions


def replied_to(message: discord.Message) -> discord.Message | None:
    """The message that this one replies to, where Discord tells of it."""
    resolved = message.reference.resolved if message.reference else None
    return resolved if isinstance(resolved, discord.Message) else None


def places(channel: discord.abc.MessageableChannel) -> tuple[int, ...]:
    """The ids of a channel and of what it is in: a thread's or post's channel, a channel's category."""
    parent = channel.parent if isinstance(channel, discord.Thread) else None
    within = (
        getattr(channel, "parent_id", None),
        getattr(channel, "category_id", None),
        getattr(parent, "category_id", None),
    )
    return (channel.id, *(each for each in within if each is not None))


async def role_ids(guild: discord.Guild, user: discord.abc.Snowflake) -> frozenset[int]:
    """The roles of somebody in a server, asked of Discord where an event did not bring them.

    Raises what discord.py raises when Discord cannot be asked.
    """
    if not isinstance(user, discord.Member):
        try:
            user = await guild.fetch_member(user.id)
        except discord.NotFound:  # a webhook, or somebody who has left
            return frozenset()
    return frozenset(role.id for role in user.roles)
