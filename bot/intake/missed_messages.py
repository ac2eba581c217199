"""Find where messages may have been missed, from what is known already and without asking Discord."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import discord

from bot.store import OpenMessage, Store, StoredAnswer

MESSAGES = 100
"""Messages of one channel that are looked through: as many as Discord tells at once."""

ALL_READ = 2**63 - 1


@dataclass
class MissedPlace:
    """A channel, thread or direct-message channel that is worth one request.

    `since`: where to begin to look. `read`: up to here every message was read. `newest`: the last message
    that Discord told of. `open`: accepted and unanswered, by id.
    """

    channel_id: int
    guild_id: int | None
    since: datetime
    read: int = ALL_READ
    newest: int = 0
    open: dict[int, OpenMessage] = field(default_factory=dict)

    async def channel(self, client: discord.Client) -> discord.abc.MessageableChannel | None:
        """Return the channel; None if the bot has no way to it any more."""
        known = client.get_channel(self.channel_id)
        if known is None and (self.guild_id is None or client.get_guild(self.guild_id) is not None):
            try:
                known = await client.fetch_channel(self.channel_id)
            except (discord.NotFound, discord.Forbidden):
                return None
        return cast("discord.abc.MessageableChannel | None", known)


async def missed_places(
    client: discord.Client, where: Collection[int | None], store: Store, since: datetime
) -> list[MissedPlace]:
    """Return all of them in the servers `where`, those with open work first.

    None in `where` stands for what is in no server that the bot is on. Besides open work there are channels
    where something was posted of late: it is newer than the last message read there, or may have been edited
    since. And there are channels with answers of late, whose pictures may have been deleted or edited. Raises
    a `StoreError`.
    """
    found: dict[int, MissedPlace] = {}
    nothing = discord.utils.time_snowflake(since)

    def is_there(guild_id: int | None) -> bool:
        known = guild_id is not None and client.get_guild(guild_id) is not None
        return (guild_id if known else None) in where

    def place_of(row: OpenMessage | StoredAnswer) -> MissedPlace:
        # Discord does not tell of new direct messages: whoever wrote of late may have done so again.
        read = nothing if row.guild_id is None else ALL_READ
        return found.setdefault(row.channel_id, MissedPlace(row.channel_id, row.guild_id, since, read))

    for row in await store.work.messages_since(since):
        if is_there(row.guild_id):
            place_of(row).open[row.message_id] = row
    for guild in (each for each in client.guilds if each.id in where and not each.unavailable):
        seen = await store.seen.of(guild.id)
        begin = max(nothing, _joined(guild))  # where nothing was read yet, all is new since the bot joined
        for channel_id, last in _posted_in(guild, begin):
            place = found.setdefault(channel_id, MissedPlace(channel_id, guild.id, since))
            place.read, place.newest = max(seen.get(channel_id, 0), begin), last
    for answer in await store.answers.since(nothing):
        if is_there(answer.guild_id):
            place_of(answer)
    return list(found.values())


def _joined(guild: discord.Guild) -> int:
    me: discord.Member | None = guild.me  # None where the server did not send it
    return discord.utils.time_snowflake(me.joined_at) if me and me.joined_at else 0


def _posted_in(guild: discord.Guild, begin: int) -> Iterator[tuple[int, int]]:
    """Yield each channel with a message after `begin`, and its last one."""
    for channel in _channels(guild):
        if (last := channel.last_message_id or 0) > begin:
            yield channel.id, last


def _channels(
    guild: discord.Guild,
) -> Iterator[discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread]:
    yield from guild.text_channels
    yield from guild.voice_channels
    yield from guild.stage_channels
    yield from guild.threads
