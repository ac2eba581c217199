"""What is accepted and not answered yet, and how far each channel was read: written down as it happens.

A store that fails costs a line in the log and the certainty that a crash forgets nothing, never an answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec, TypedDict

import discord

from bot.answering.message_memory import fingerprint
from bot.store import Answer, OpenMessage, StoreError

if TYPE_CHECKING:
    from bot.client import Whatsit
    from bot.intake.message_requests import Request

__all__ = ["Ledger"]

P = ParamSpec("P")

log = logging.getLogger(__name__)

WITHIN = 2.0
"""Seconds that an answer waits for the store. What is slower is written all the same, a little later."""
QUIET = 60.0
"""Seconds between two lines of the log about a store that fails."""


@dataclass
class _Channel:
    """Where a channel's reading stands: its newest message, and those that are being read."""

    guild_id: int
    newest: int
    begun: set[int] = field(default_factory=set)


class _Where(TypedDict):
    answer_id: int
    channel_id: int
    guild_id: int | None
    user_id: int
    images: int | None


class Ledger:
    """The bot's own account of its work; `bot.cogs.catch_up` reads it after a crash or a lost session.

    While the bot is away (`leave` to `settle`) no channel counts as read any further: what came meanwhile is
    still to be looked for.
    """

    def __init__(self, bot: Whatsit) -> None:
        self._bot = bot
        self._store = bot.store
        self._reading: dict[int, _Channel] = {}
        self._unsettled: dict[int, tuple[int, int]] | None = {}  # by channel: guild, message
        self._replaying = False
        self._missed: set[int] = set()
        self._granted: set[int] = set()
        self._in_work: set[int] = set()
        self._left: set[int] = set()
        self._complained = -QUIET

    # A message, from the event that tells of it to its answer.

    @contextmanager
    def reading(self, message: discord.Message) -> Iterator[None]:
        """Until this ends, the channel does not count as read up to `message`."""
        if message.guild is None:
            yield
            return
        channel_id = message.channel.id
        channel = self._reading.setdefault(channel_id, _Channel(message.guild.id, message.id))
        channel.newest = max(channel.newest, message.id)
        channel.begun.add(message.id)
        if self._replaying:
            self._missed.add(message.id)
        try:
            yield
        finally:
            if not self._bot.stopping:  # else it may never have been looked at
                channel.begun.discard(message.id)
                if self._reading.get(channel_id) is channel:  # else it was deleted, and is forgotten
                    self.read_up_to(channel.guild_id, channel_id, channel.newest)
                    if not channel.begun:
                        del self._reading[channel_id]
            self._missed.discard(message.id)

    def read_up_to(self, guild_id: int, channel_id: int, message_id: int) -> None:
        """The channel is read up to this message, but for those that are being read."""
        channel = self._reading.get(channel_id)
        if channel is not None and channel.begun:
            message_id = min(message_id, min(channel.begun) - 1)
        if self._unsettled is None:
            self._store.seen.saw(guild_id, channel_id, message_id)
        else:
            newest = self._unsettled.get(channel_id, (0, 0))[1]
            self._unsettled[channel_id] = guild_id, max(message_id, newest)

    def forget_channel(self, channel_id: int) -> None:
        """The channel or thread is gone: where its reading stands is not written down any more."""
        self._reading.pop(channel_id, None)
        if self._unsettled is not None:
            self._unsettled.pop(channel_id, None)

    def forget_guild(self, guild_id: int) -> None:
        """Likewise, for all channels of a server."""
        self._reading = {at: read for at, read in self._reading.items() if read.guild_id != guild_id}
        if self._unsettled is not None:
            self._unsettled = {at: read for at, read in self._unsettled.items() if read[0] != guild_id}

    @asynccontextmanager
    async def message(self, request: Request) -> AsyncIterator[None]:
        """The images of a request are accepted; when this ends it is struck out, unless it is left open."""
        message = request.message
        await self._write(
            self._store.work.accept_message,
            message_id=message.id,
            channel_id=message.channel.id,
            guild_id=message.guild.id if message.guild else None,
            user_id=request.asker.id,
            asked=request.asked,
        )
        async with self._open(message.id, self._store.work.strike_message):
            yield

    async def answered(self, request: Request, answer: discord.Message) -> None:
        """`answer` was sent; it goes when one of the request's sources does."""
        guild_id = answer.guild.id if answer.guild else None
        where: _Where = {
            "answer_id": answer.id,
            "channel_id": answer.channel.id,
            "guild_id": guild_id,
            "user_id": request.asker.id,
            "images": fingerprint(request.images),
        }
        await self._write(self._store.work.answered, request.message.id, **where)
        others = request.sources - {request.message.id}
        if others:
            await self._write(self._store.answers.add, source_ids=others, **where)

    async def answers_to(self, sources: Collection[int]) -> Sequence[Answer]:
        """The answers to these messages, also those of an earlier run; none if the store fails."""
        try:
            return await self._store.answers.to(sources)
        except StoreError as error:
            self._complain(error)
            return ()

    async def sources_of(self, answer_id: int) -> Sequence[Answer]:
        """All that an answer is known to answer; nothing if the store fails."""
        try:
            return await self._store.answers.sources(answer_id)
        except StoreError as error:
            self._complain(error)
            return ()

    async def revised(self, request: Request, answer_id: int) -> None:
        """This answer names what is in the request now."""
        images = fingerprint(request.images)
        await self._write(self._store.answers.revise, request.message.id, answer_id, images)

    async def forget_sources(self, answer_id: int, sources: Collection[int]) -> None:
        """A merged answer no longer answers these messages."""
        await self._write(self._store.answers.forget_sources, answer_id, sources)

    async def forget(self, *answer_ids: int) -> None:
        """These answers are deleted."""
        await self._write(self._store.answers.forget, *answer_ids)

    # An interaction, likewise.

    @asynccontextmanager
    async def interaction(
        self,
        interaction: discord.Interaction[Any],
        images: Sequence[Mapping[str, Any]],
        options: Mapping[str, str | int | bool | None],
    ) -> AsyncIterator[asyncio.Task[None]]:
        """Likewise, for an interaction. The task writes it down while Discord is told to wait."""
        writing = self._write(
            self._store.work.accept_interaction,
            interaction_id=interaction.id,
            application_id=interaction.application_id,
            token=interaction.token,
            channel_id=interaction.channel_id,
            guild_id=interaction.guild_id,
            user_id=interaction.user.id,
            images=images,
            options=options,
        )
        accepting = asyncio.create_task(writing, name="ledger: interaction")
        async with self.again(interaction.id):
            try:
                yield accepting
            finally:
                await accepting

    async def deferred(self, interaction_id: int, response_id: int | None) -> None:
        """The deferred response of an interaction is this message."""
        if response_id is not None:
            await self._write(self._store.work.know_response, interaction_id, response_id)

    @asynccontextmanager
    async def again(self, interaction_id: int) -> AsyncIterator[None]:
        """An interaction that is written down already is in work; when this ends it is struck out."""
        async with self._open(interaction_id, self._store.work.strike_interaction):
            yield

    async def strike_interaction(self, interaction_id: int) -> None:
        """It cannot be answered any more."""
        await self._write(self._store.work.strike_interaction, interaction_id)

    async def strike_message(self, message_id: int) -> None:
        """It is done without an answer."""
        await self._write(self._store.work.strike_message, message_id)

    async def found(self, row: OpenMessage, answer: discord.Message) -> None:
        """An open message turns out to have been answered before a crash."""
        await self._write(
            self._store.work.answered,
            row.message_id,
            answer_id=answer.id,
            channel_id=answer.channel.id,
            guild_id=row.guild_id,
            user_id=row.user_id,
        )

    # Both.

    def leave_open(self, identity: int) -> None:
        """Its answer could not be delivered for now: the next restart or new session is to try again."""
        if identity in self._in_work:
            self._left.add(identity)

    def was_left(self, identity: int) -> bool:
        """Whether it was left open when this process was at work on it last."""
        return identity in self._left

    def in_work(self, identity: int) -> bool:
        """Whether this process is at work on it."""
        return identity in self._in_work

    # Being away.

    @property
    def away(self) -> bool:
        """Whether something may be missing still."""
        return self._unsettled is not None

    def leave(self) -> None:
        """The session is lost. If it is resumed, Discord tells first what happened meanwhile."""
        self._replaying = True
        if self._unsettled is None:
            self._unsettled = {}

    def begin(self) -> None:
        """There is a new session, which tells only what happens from now on."""
        self._replaying = False

    def settle(self) -> None:
        """Nothing is missing any more."""
        self._replaying = False
        unsettled, self._unsettled = self._unsettled or {}, None
        for channel_id, (guild_id, message_id) in unsettled.items():
            self._store.seen.saw(guild_id, channel_id, message_id)

    @contextmanager
    def missed(self, message_id: int, *, granted: bool = False) -> Iterator[None]:
        """This message is caught up with meanwhile. `granted`: its author was charged for it already."""
        self._missed.add(message_id)
        if granted:
            self._granted.add(message_id)
        try:
            yield
        finally:
            self._granted.discard(message_id)
            self._missed.discard(message_id)

    def was_granted(self, message_id: int) -> bool:
        """Whether an earlier run has charged its author's quota for this message."""
        return message_id in self._granted

    def late_after(self, message_id: int) -> float:
        """Seconds after which an answer is late: what was missed has the time of catching up besides."""
        watch = self._bot.settings.watch
        return watch.late_after + (watch.catch_up if message_id in self._missed else 0.0)

    @asynccontextmanager
    async def _open(self, identity: int, strike: Callable[[int], Awaitable[None]]) -> AsyncIterator[None]:
        self._in_work.add(identity)
        self._left.discard(identity)
        try:
            yield
        except asyncio.CancelledError:
            if self._bot.stopping:  # the time to finish is over; a deletion cancels too
                self._left.add(identity)
            raise
        finally:
            self._in_work.discard(identity)
            if identity not in self._left:
                await self._write(strike, identity)

    async def _write(self, write: Callable[P, Awaitable[None]], *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            async with asyncio.timeout(WITHIN):
                await write(*args, **kwargs)
        except (StoreError, TimeoutError) as error:
            self._complain(error)
        except Exception:
            log.exception("The store failed for no known reason")

    def _complain(self, error: Exception) -> None:
        if self._bot.is_closed():  # whoever comes late to a closed store has lost nothing
            return
        now = asyncio.get_running_loop().time()
        if now - self._complained >= QUIET:
            self._complained = now
            reason = str(error) or f"It did not answer within {WITHIN:g} s."
            log.warning("Until the store works again, a crash may forget pictures. %s", reason)
