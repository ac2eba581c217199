"""Note how far each channel was read, so that nothing posted while the bot is away is missed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import discord

from bot.store import Store
from bot.work_in_hand import WorkInHand

__all__ = ["ReadPositions"]


@dataclass
class _ReadChannel:
    """Where the reading of a channel stands: its newest message, and those that are being read."""

    guild_id: int
    newest: int
    begun: set[int] = field(default_factory=set)


class ReadPositions:
    """The last message read in each channel.

    While the bot is away (`leave` to `settle`) no channel counts as read any further: what came meanwhile is
    still to be looked for. The same holds for a server that is unavailable (`hold` to `release`).
    """

    def __init__(self, store: Store, work: WorkInHand) -> None:
        self._seen = store.seen
        self._work = work
        self._reading: dict[int, _ReadChannel] = {}
        self._unsettled: dict[int, tuple[int, int]] | None = {}  # by channel: guild, message
        self._held: dict[int, dict[int, int]] = {}  # by guild: the newest message of each channel
        self._replaying = False

    @contextmanager
    def reading(self, message: discord.Message) -> Iterator[bool]:
        """Read a message; until this ends, its channel does not count as read up to it.

        The value is whether Discord tells of it late, after a lost connection.
        """
        if message.guild is None:
            yield False
            return
        channel_id = message.channel.id
        channel = self._reading.setdefault(channel_id, _ReadChannel(message.guild.id, message.id))
        channel.newest = max(channel.newest, message.id)
        channel.begun.add(message.id)
        try:
            yield self._replaying
        finally:
            if not self._work.stopping:  # else it may never have been looked at
                channel.begun.discard(message.id)
                if self._reading.get(channel_id) is channel:  # else it was deleted, and is forgotten
                    self.read_up_to(channel.guild_id, channel_id, channel.newest)
                    if not channel.begun:
                        del self._reading[channel_id]

    def read_up_to(self, guild_id: int, channel_id: int, message_id: int) -> None:
        """Note that a channel is read up to this message, but for those that are being read."""
        channel = self._reading.get(channel_id)
        if channel is not None and channel.begun:
            message_id = min(message_id, min(channel.begun) - 1)
        if (held := self._held.get(guild_id)) is not None:
            held[channel_id] = max(message_id, held.get(channel_id, 0))
        elif self._unsettled is None:
            self._seen.saw(guild_id, channel_id, message_id)
        else:
            newest = self._unsettled.get(channel_id, (0, 0))[1]
            self._unsettled[channel_id] = guild_id, max(message_id, newest)

    def forget_channel(self, channel_id: int) -> None:
        """Drop what is known of a channel or thread that is deleted."""
        self._reading.pop(channel_id, None)
        for held in self._held.values():
            held.pop(channel_id, None)
        if self._unsettled is not None:
            self._unsettled.pop(channel_id, None)

    def forget_guild(self, guild_id: int) -> None:
        """Drop what is known of all channels of a server."""
        self._reading = {at: read for at, read in self._reading.items() if read.guild_id != guild_id}
        self._held.pop(guild_id, None)
        if self._unsettled is not None:
            self._unsettled = {at: read for at, read in self._unsettled.items() if read[0] != guild_id}

    def hold(self, guild_id: int) -> None:
        """Let no channel of an unavailable server count as read any further until `release`."""
        self._held.setdefault(guild_id, {})

    def release(self, guild_id: int) -> None:
        """Let the channels of a server count as read as far as they were read meanwhile."""
        for channel_id, message_id in self._held.pop(guild_id, {}).items():
            self.read_up_to(guild_id, channel_id, message_id)

    @property
    def away(self) -> bool:
        """Whether something may be missing still."""
        return self._unsettled is not None

    def leave(self) -> None:
        """Note that the session is lost. If it is resumed, Discord tells first what happened meanwhile."""
        self._replaying = True
        if self._unsettled is None:
            self._unsettled = {}

    def begin(self) -> None:
        """Note that there is a new session, which tells only what happens from now on."""
        self._replaying = False

    def settle(self) -> None:
        """Note that nothing is missing any more."""
        self._replaying = False
        unsettled, self._unsettled = self._unsettled or {}, None
        for channel_id, (guild_id, message_id) in unsettled.items():
            self._seen.saw(guild_id, channel_id, message_id)
