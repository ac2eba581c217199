"""Where an answer goes. Each destination fits the answer to what is permitted there, and none raises."""

from __future__ import annotations

import enum
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, NamedTuple, Protocol

import discord

from bot.buttons import AnswerButtons
from bot.presentation.answer import Answer


class Fate(enum.Enum):
    """What became of an answer."""

    SENT = enum.auto()
    DROPPED = enum.auto()
    """It cannot be delivered, now or later: no permission, closed direct messages, a deleted message."""
    OFFERED = enum.auto()
    """There was no time for it. Whoever still wants it may ask for it again."""
    POSTPONED = enum.auto()
    """Discord could not be reached. The next start or new session is to try again."""

    @property
    def outcome(self) -> str:
        """Its name in metrics and in the log."""
        return self.name.lower()


class Delivered(NamedTuple):
    """The fate of an answer, and the message that holds it, where it is a message of its own."""

    fate: Fate
    message: discord.Message | None = None


class Promise(NamedTuple):
    """Discord shows that an answer is coming; `response_id` is the message that says so, where it is told."""

    response_id: int | None = None


class Destination(Protocol):
    """A place for one answer."""

    @property
    def private(self) -> bool:
        """Whether only the asker reads it there."""

    @property
    def stands_apart(self) -> bool:
        """Whether it does not stand under its images, and so has to show and name them itself."""

    @property
    def takes_embeds(self) -> bool:
        """Whether embeds may be posted there."""

    @property
    def pointless_buttons(self) -> frozenset[str]:
        """Which buttons would do nothing there, by the names that settings have for them."""

    @property
    def source_link(self) -> str:
        """A link to the message that is answered, to be shown with the answer; empty for none."""

    async def admits(self) -> bool:
        """Return whether an answer may be sent now; where it may not, the person is shown why."""

    def waiting(self) -> AbstractAsyncContextManager[Promise | None]:
        """Show that an answer is coming, while the context lasts; None if nobody waits for it any more."""

    async def refuse(self, line: str, reaction: str) -> None:
        """Show why there is no answer: by `line`, where only the asker reads it, else by `reaction`."""

    async def deliver(self, answer: Answer, buttons: AnswerButtons | None) -> Delivered:
        """Send the answer."""


class ApartFromImages:
    """What all destinations have in common where the answer does not stand under its images."""

    stands_apart: ClassVar[bool] = True
    takes_embeds: ClassVar[bool] = True


def message_body(answer: Answer, *, embeds: bool) -> dict[str, Any]:
    """Return the answer as discord.py's `send` and `edit` take it, with embeds or in plain text."""
    if not embeds:
        return {"content": answer.plain}
    return {"content": answer.note or None, "embeds": list(answer.embeds)}
