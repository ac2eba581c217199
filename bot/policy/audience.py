"""Decide whom the bot listens to and what is a question to it, without asking Discord."""

from __future__ import annotations

import discord

from config.settings import Watch


class Audience:
    """Knows who the bot is and whom its owner lets it listen to."""

    def __init__(self, client: discord.Client, watch: Watch) -> None:
        self._client = client
        self._applications = watch.applications

    @property
    def reads_messages(self) -> bool:
        """Whether Discord lets the bot read messages that do not address it."""
        return self._client.intents.message_content

    def listens_to(self, message: discord.Message) -> bool:
        """Return whether the message may be answered at all.

        People are heard; other bots and webhooks only if the owner listed them; the bot itself never.
        """
        if message.author == self._client.user:
            return False
        if message.webhook_id is not None:
            return message.application_id in self._applications
        return not message.author.bot or message.author.id in self._applications

    def is_addressed(self, message: discord.Message, *, has_images: bool) -> bool:
        """Return whether the message asks the bot something: a direct message, or one that mentions it.

        To Discord a reply is a mention of its addressee. Here only what was typed counts, and a reply to an
        answer is small talk unless it brings images of its own.
        """
        me = self._client.user
        if me is None:
            return False
        replied = replied_to(message)
        if replied and replied.author == me:
            return has_images
        if message.guild is None or me.id in message.raw_mentions:
            return True
        role = message.guild.self_role
        return role is not None and role in message.role_mentions


def replied_to(message: discord.Message) -> discord.Message | None:
    """Return the message that this one replies to, where Discord tells of it."""
    resolved = message.reference.resolved if message.reference else None
    return resolved if isinstance(resolved, discord.Message) else None


def place_ids(channel: discord.abc.MessageableChannel) -> tuple[int, ...]:
    """Return the ids of a channel and of what it is in: a thread's channel, a channel's category."""
    parent = channel.parent if isinstance(channel, discord.Thread) else None
    within = (
        getattr(channel, "parent_id", None),
        getattr(channel, "category_id", None),
        getattr(parent, "category_id", None),
    )
    return (channel.id, *(each for each in within if each is not None))


async def role_ids(guild: discord.Guild | None, user: discord.abc.Snowflake) -> frozenset[int]:
    """Return the ids of somebody's roles in a server, asking Discord where an event did not bring them.

    Raises what discord.py raises when Discord cannot be asked.
    """
    if not isinstance(user, discord.Member):
        if guild is None:
            return frozenset()
        try:
            user = await guild.fetch_member(user.id)
        except discord.NotFound:  # a webhook, or somebody who has left
            return frozenset()
    return frozenset(role.id for role in user.roles)
