"""Send answers to channels: each for itself while Discord takes them, and merged while it does not.

Discord takes about five messages in five seconds in one channel, and discord.py holds back what comes
beyond. So that answers do not queue up there until they are late, only the first few of a burst are sent each
for itself. Then one message is on its way at a time, and what is finished meanwhile goes together into the
next one. What could not even so be sent in good time is not sent at all: see `Thinned`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import discord

from bot import buttons
from bot.buttons import AnswerButtons, MergedPart
from bot.delivery.destination import message_body
from bot.discord_limits import EMBEDS, EMBEDS_CHARACTERS, MESSAGE_CONTENT
from bot.presentation.answer import Answer
from bot.presentation.plain_text import neutral

AT_ONCE, WINDOW = 4, 5.0
"""So many messages in so many seconds are a conversation, more are a burst; one less than Discord takes."""


def nonce_of(message: discord.Message) -> str:
    """Return the nonce of an answer, at most 25 characters.

    Discord takes a second message with the same nonce for the first. So an edit has one of its own, or its
    answer would be taken for the one before it, which may have named others too.
    """
    if message.edited_at is None:
        return str(message.id)
    return f"{message.id}{int(message.edited_at.timestamp() * 1000) % 1_000_000:06}"


class Thinned(Exception):
    """An answer cannot be sent in good time."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One answer to one message, in the shape that its channel allows.

    `late_at`: when it would be late, as a Unix time. `silent`: nobody's phone rings.
    """

    message: discord.Message
    answer: Answer
    late_at: float
    buttons: AnswerButtons | None = None
    embeds: bool = True
    reference: bool = True
    silent: bool = False

    @property
    def time_left(self) -> float:
        """Seconds until the answer is late; negative if it is."""
        return self.late_at - discord.utils.utcnow().timestamp()

    def body(self) -> dict[str, Any]:
        """Return the arguments of `send`."""
        body = message_body(self.answer, embeds=self.embeds) | {
            "nonce": nonce_of(self.message),
            "silent": self.silent,
        }
        if self.buttons is not None and (view := self.buttons.view()):
            body["view"] = view
        if self.reference:
            body |= {"reference": self.message.to_reference(), "mention_author": False}
        return body


@dataclass(slots=True, eq=False)
class _WaitingLetter:
    letter: Letter
    sent: asyncio.Future[discord.Message]


@dataclass(slots=True)
class _Channel:
    """A channel's answers on their way.

    `begun`: when the messages of the last few seconds were handed to discord.py. `going`: how many of them
    Discord has not taken yet. `together`: the answers in the message that is on its way from `sender`.
    """

    begun: deque[float] = field(default_factory=deque)
    going: int = 0
    waiting: deque[_WaitingLetter] = field(default_factory=deque)
    together: list[_WaitingLetter] = field(default_factory=list)
    sender: asyncio.Task[None] | None = None

    def is_calm(self, now: float) -> bool:
        while self.begun and now - self.begun[0] >= WINDOW:
            self.begun.popleft()
        return self.sender is None and max(self.going, len(self.begun)) < AT_ONCE

    @property
    def is_idle(self) -> bool:
        return self.sender is None and not self.going and not self.begun


class Outbox:
    """Sends the answers of all channels."""

    def __init__(self) -> None:
        self._channels: dict[int, _Channel] = {}

    async def send(self, letter: Letter) -> discord.Message:
        """Send an answer; return the message that holds it, alone or among others.

        Raises `Thinned`, TimeoutError when it is late, and what discord.py raises.
        """
        now = asyncio.get_running_loop().time()
        channel = self._channel(letter.message.channel.id, now)
        if channel.is_calm(now):
            return await self._alone(channel, letter)
        if _seconds(channel) > letter.time_left / 2:
            raise Thinned
        waiting = _WaitingLetter(letter, asyncio.get_running_loop().create_future())
        channel.waiting.append(waiting)
        try:
            while not waiting.sent.done():
                if channel.sender is None:
                    channel.sender = asyncio.create_task(self._send_next(channel), name="outbox")
                await asyncio.wait([channel.sender])
        except asyncio.CancelledError:
            waiting.sent.cancel()
            self._drop(channel, waiting)
            raise
        return waiting.sent.result()

    def _drop(self, channel: _Channel, waiting: _WaitingLetter) -> None:
        """Let go of an answer that nobody waits for any more; what goes out with others' goes out."""
        if waiting in channel.waiting:
            channel.waiting.remove(waiting)
        elif channel.sender is not None and all(each.sent.done() for each in channel.together):
            channel.sender.cancel()

    def _channel(self, channel_id: int, now: float) -> _Channel:
        for known, channel in list(self._channels.items()):
            if channel.is_calm(now) and channel.is_idle:
                del self._channels[known]
        return self._channels.setdefault(channel_id, _Channel())

    async def _alone(self, channel: _Channel, letter: Letter) -> discord.Message:
        channel.begun.append(asyncio.get_running_loop().time())
        channel.going += 1
        try:
            async with asyncio.timeout(letter.time_left):
                return await letter.message.channel.send(**letter.body())
        finally:
            channel.going -= 1

    async def _send_next(self, channel: _Channel) -> None:
        """Send one message, with as many answers in it as fit."""
        try:
            channel.together, body = _next(channel.waiting)
            if channel.together:
                await self._send_together(channel, channel.together, body)
        finally:
            channel.together = []
            channel.sender = None

    async def _send_together(
        self, channel: _Channel, together: list[_WaitingLetter], body: dict[str, Any]
    ) -> None:
        first = together[0].letter
        channel.begun.append(asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(min(waiting.letter.time_left for waiting in together)):
                sent = await first.message.channel.send(**body)
        except TimeoutError:  # the others may still make it
            channel.waiting.extendleft(reversed([waiting for waiting in together if not _is_over(waiting)]))
        except Exception as failure:  # noqa: BLE001 - raised where each of them waits
            for waiting in together:
                if not waiting.sent.done():
                    waiting.sent.set_exception(failure)
        else:
            for waiting in together:
                if not waiting.sent.done():
                    waiting.sent.set_result(sent)


def merged_sources(answer: discord.Message) -> set[int]:
    """Return the ids of the messages whose answers are in this one; none if it is a single answer."""
    return {source for embed in answer.embeds if (source := source_of(embed)) is not None}


def without_sources(answer: discord.Message, sources: Collection[int]) -> dict[str, Any]:
    """Return what is left of merged answers without these messages, as `edit` takes it; empty for nothing."""
    embeds = [embed for embed in answer.embeds if source_of(embed) not in sources]
    return {"embeds": embeds, "view": buttons.view_without(answer, sources)} if embeds else {}


def source_of(embed: discord.Embed) -> int | None:
    """Return the id of the message that an embed answers, if it was signed when it was merged."""
    last = (embed.author.url or "").rpartition("/")[2]
    return int(last) if last.isdecimal() else None


def _seconds(channel: _Channel) -> float:
    """Return how long a new answer may have to wait: a second for each message, as Discord takes them."""
    images = sum(max(1, len(waiting.letter.answer.embeds)) for waiting in channel.waiting)
    return channel.going + images / EMBEDS


def _is_over(waiting: _WaitingLetter) -> bool:
    """Return whether nobody waits for the answer any more, or it has just become late."""
    if not waiting.sent.done() and waiting.letter.time_left <= 0:
        waiting.sent.set_exception(TimeoutError())
    return waiting.sent.done()


def _next(waiting: deque[_WaitingLetter]) -> tuple[list[_WaitingLetter], dict[str, Any]]:
    """Take as many of the longest waiting as fit in one message; return them and the message."""
    together: list[_WaitingLetter] = []
    body: dict[str, Any] = {}
    while waiting:
        if _is_over(waiting[0]):
            waiting.popleft()
            continue
        if not together:
            body = waiting[0].letter.body()
        else:
            more = _merged([each.letter for each in (*together, waiting[0])])
            if more is None:
                break
            body = more
        together.append(waiting.popleft())
    if len(together) > 1:
        body["view"] = _menus([each.letter for each in together])
    return together, body


def _merged(letters: list[Letter]) -> dict[str, Any] | None:
    """Return one message of several answers, each with its author and a link; None if they do not fit in one.

    In plain text nothing is merged: when one of the pictures goes, its part could not be found again.
    """
    if not all(letter.embeds and letter.answer.embeds for letter in letters):
        return None
    note = "\n".join(_note(letter) for letter in letters if letter.answer.note)
    embeds = tuple(_signed(embed, letter) for letter in letters for embed in letter.answer.embeds)
    if len(embeds) > EMBEDS or sum(map(len, embeds)) > EMBEDS_CHARACTERS or len(note) > MESSAGE_CONTENT:
        return None
    # It replies to none of them: a reply is shown under one.
    return message_body(Answer(note, embeds), embeds=True) | {
        "nonce": nonce_of(letters[0].message),
        "silent": all(letter.silent for letter in letters),
    }


def _menus(letters: list[Letter]) -> discord.ui.View | None:
    parts = [
        MergedPart(letter.message.id, letter.message.author.display_name, letter.buttons)
        for letter in letters
        if letter.buttons
    ]
    return buttons.merged_view(parts) if parts else None


def _signed(embed: discord.Embed, letter: Letter) -> discord.Embed:
    return embed.copy().set_author(name=letter.message.author.display_name, url=letter.message.jump_url)


def _note(letter: Letter) -> str:
    return f"**{neutral(letter.message.author.display_name, 40)}** {letter.answer.note}"
