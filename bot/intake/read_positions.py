"""Note how far each channel was read, so that nothing posted while the bot is away is missed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import discord

from bot.erasable_memory import ErasableMemory
from bot.store import Store
from bot.work_in_hand import WorkInHand


@dataclass
class _ReadChannel:
    """Where the reading of a channel stands: its newest message, and those that are being read."""

    guild_id: int
    newest: int
    begun: set[int] = field(default_factory=set)


class ReadPositions(ErasableMemory):
    """The last message read in each channel.

    No channel counts as read any further while the bot is away (`leave` to `resume`), before its server is
    caught up with, or while something missed in it could not be read: that is still to be looked for.
    """

    def __init__(self, store: Store, work: WorkInHand) -> None:
        self._seen = store.seen
        self._work = work
        self._reading: dict[int, _ReadChannel] = {}
        self._held: dict[int, tuple[int, int]] = {}  # by channel: guild, message
        self._caught_up: set[int] = set()
        self._unread: set[int] = set()
        self._replaying = self._away = False

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
        held = self._held.get(channel_id, (0, 0))[1]
        self._held[channel_id] = guild_id, max(message_id, held)
        self._write()

    def forget_channel(self, channel_id: int) -> None:
        """Drop what is known of a channel or thread that is deleted."""
        self._reading.pop(channel_id, None)
        self._held.pop(channel_id, None)
        self._unread.discard(channel_id)

    def forget_guild(self, guild_id: int) -> None:
        """Drop what is known of all channels of a server."""
        self._reading = {at: read for at, read in self._reading.items() if read.guild_id != guild_id}
        self._held = {at: read for at, read in self._held.items() if read[0] != guild_id}
        self._caught_up.discard(guild_id)

    @property
    def away(self) -> bool:
        """Whether the connection is lost."""
        return self._away

    def leave(self) -> None:
        """Note that the connection is lost. If it is resumed, Discord tells first what happened meanwhile."""
        self._replaying = self._away = True

    def begin(self) -> None:
        """Note that there is a new session, which tells only what happens from now on."""
        self._replaying = self._away = False
        self._caught_up.clear()
        self._unread.clear()

    def resume(self) -> None:
        """Note that Discord has told what happened while the connection was lost."""
        self._replaying = self._away = False
        self._write()

    def fall_behind(self, guild_id: int) -> None:
        """Note that something may have been missed in a server."""
        self._caught_up.discard(guild_id)

    def missed(self, channel_ids: Iterable[int]) -> None:
        """Note that something missed in these channels is still to be read."""
        self._unread.update(channel_ids)

    def looked_through(self, channel_id: int) -> None:
        """Note that what was missed in a channel is read, or can never be."""
        self._unread.discard(channel_id)
        self._write()

    def catch_up(self, guild_ids: Collection[int]) -> None:
        """Note that what was missed in these servers is found."""
        self._caught_up.update(guild_ids)
        self._write()

    def _write(self) -> None:
        """Hand over to the store what counts as read now."""
        if self._away:
            return
        for channel_id, (guild_id, message_id) in list(self._held.items()):
            if guild_id in self._caught_up and channel_id not in self._unread:
                del self._held[channel_id]
                self._seen.saw(guild_id, channel_id, message_id)
