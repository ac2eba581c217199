"""What the bot may do in a channel, and what discord.py raises when it may not after all."""

from __future__ import annotations

from typing import NamedTuple

import aiohttp
import discord

FAILURES = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)
"""What discord.py raises when Discord refuses, or cannot be reached after its own retries."""
GONE = frozenset({10008, 10015, 10062, 50027})
"""Unknown message, webhook or interaction, expired token: the person is no longer waiting for this answer."""


class ChannelPermissions(NamedTuple):
    """What the bot may do where a message stands."""

    send: bool = True
    embeds: bool = True
    reference: bool = True
    """Read the history, without which Discord refuses a reply."""
    react: bool = True


def permissions_at(message: discord.Message | discord.PartialMessage) -> ChannelPermissions:
    """Return what the bot may do where this message stands."""
    return permissions_in(message.channel, message.guild.me if message.guild else None)


def permissions_in(channel: discord.abc.MessageableChannel, me: discord.Member | None) -> ChannelPermissions:
    """Return what the bot, `me`, may do in a channel, from what the gateway told and without asking Discord.

    `me` is None in a direct message.
    """
    if me is None or isinstance(
        channel, discord.PartialMessageable | discord.DMChannel | discord.GroupChannel
    ):
        return ChannelPermissions()
    if not isinstance(channel, discord.Thread):
        granted = channel.permissions_for(me)
        send = granted.send_messages
    elif channel.parent is None:
        return ChannelPermissions()  # its parent's permissions are not known: Discord will say
    else:
        granted = channel.permissions_for(me)
        closed = channel.archived or (channel.locked and not granted.manage_threads)
        send = granted.send_messages_in_threads and not closed
    see, history = granted.view_channel, granted.read_message_history
    return ChannelPermissions(
        send=see and send,
        embeds=granted.embed_links,
        reference=history,
        react=see and history and granted.add_reactions,
    )
