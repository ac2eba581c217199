"""Where may something have been missed? Answered from what is known already, without asking Discord."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, cast

import discord

from bot.store import OpenMessage

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = ["MESSAGES", "Place", "places"]

MESSAGES = 50
"""Messages of one channel that are looked through."""


@dataclass
class Place:
    """A channel, thread or direct-message channel that is worth one request.

    `since`: where to begin to look. `read`: up to here every message was read. `newest`: the last message
    that Discord told of. `open`: accepted and unanswered, by id.
    """

    channel_id: int
    guild_id: int | None
    since: datetime
    read: int
    newest: int = 0
    open: dict[int, OpenMessage] = field(default_factory=dict)

    async def channel(self, bot: Whatsit) -> discord.abc.MessageableChannel | None:
        """The channel; None if the bot has no way to it any more."""
        known = bot.get_channel(self.channel_id)
        if known is None and (self.guild_id is None or bot.get_guild(self.guild_id) is not None):
            try:
                known = await bot.fetch_channel(self.channel_id)
            except (discord.NotFound, discord.Forbidden):
                return None
        return cast("discord.abc.MessageableChannel | None", known)


async def places(bot: Whatsit, since: datetime) -> list[Place]:
    """All of them, those with open work first.

    Besides these, channels with something newer than the last message read there, and channels with answers
    of late, whose pictures may have been deleted.
    """
    found: dict[int, Place] = {}
    nothing = discord.utils.time_snowflake(since)
    for row in await bot.store.work.messages_since(since):
        place = found.setdefault(row.channel_id, Place(row.channel_id, row.guild_id, since, read=2**63 - 1))
        place.open[row.message_id] = row
    for guild in bot.guilds:
        if guild.unavailable:
            continue
        seen = await bot.store.seen.of(guild.id)
        # Where nothing was read yet, all is new since the bot joined.
        joined = guild.me.joined_at
        begin = max(nothing, discord.utils.time_snowflake(joined) if joined else 0)
        for channel in _channels(guild):
            read, last = max(seen.get(channel.id, 0), begin), channel.last_message_id or 0
            if last > read:
                place = found.setdefault(channel.id, Place(channel.id, guild.id, since, read))
                place.read, place.newest = read, last
    for answer in await bot.store.answers.since(nothing):
        place = Place(answer.channel_id, answer.guild_id, since, read=2**63 - 1)
        found.setdefault(answer.channel_id, place)
    return list(found.values())


def _channels(
    guild: discord.Guild,
) -> Iterator[discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread]:
    yield from guild.text_channels
    yield from guild.voice_channels
    yield from guild.stage_channels
    yield from guild.threads
