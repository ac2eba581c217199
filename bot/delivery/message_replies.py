"""Answer a message in its channel or by direct message, or offer an answer with a reaction."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar

import discord

from bot.buttons import AnswerButtons
from bot.connection.closed_channels import ChannelClosed, ClosedChannels
from bot.delivery.channel_permissions import FAILURES, permissions_at
from bot.delivery.destination import ApartFromImages, Delivered, Fate, Promise
from bot.delivery.direct_messages import send_directly
from bot.delivery.outbox import Letter, Outbox, Thinned, nonce_of
from bot.delivery.reactions import CLOSED, LATE, MUTE, Reactions
from bot.delivery.typing_indicator import typing
from bot.i18n import Language
from bot.presentation.answer import Answer, link_to
from bot.presentation.help_texts import MENU

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChannelReply:
    """A reply to a message where it stands.

    `late_at`: when an answer is late. `silent`: nobody's phone rings. `offer`: the emoji that offers an
    answer for which there was no time.
    """

    message: discord.Message
    outbox: Outbox
    reactions: Reactions
    channels: ClosedChannels
    late_at: datetime.datetime
    offer: str
    silent: bool = False
    private: ClassVar[bool] = False
    stands_apart: ClassVar[bool] = False
    source_link: ClassVar[str] = ""

    @property
    def takes_embeds(self) -> bool:
        """Whether the bot may post embeds in the channel."""
        return permissions_at(self.message).embeds

    @property
    def pointless_buttons(self) -> frozenset[str]:
        """A direct message needs no copy in one."""
        return frozenset() if self.message.guild else frozenset({"dm_button"})

    async def admits(self) -> bool:
        """Set a reaction where the answer is late, or where the bot may not write."""
        return await self.is_in_time() and await self._may_write()

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[Promise | None]:
        """Show the typing indicator."""
        async with typing(self.message.channel):
            yield Promise()

    async def refuse(self, line: str, reaction: str) -> None:  # noqa: ARG002 - the others say it
        """Set a reaction, which disturbs nobody else."""
        await self.reactions.show(self.message, reaction)

    async def deliver(self, answer: Answer, buttons: AnswerButtons | None) -> Delivered:
        """Reply, alone or merged with the answers to other messages of the channel."""
        try:
            return Delivered(Fate.SENT, await self.outbox.send(self._letter(answer, buttons)))
        except (Thinned, *FAILURES) as failure:
            return await self.give_up(failure)

    async def is_in_time(self) -> bool:
        """Return whether an answer is not late yet; if it is, a reaction tells so."""
        if discord.utils.utcnow() <= self.late_at:
            return True
        await self.reactions.show(self.message, LATE)
        return False

    async def _may_write(self) -> bool:
        if permissions_at(self.message).send and self.channels.takes_messages(self.message.channel.id):
            return True
        await self.reactions.show(self.message, MUTE)
        return False

    async def give_up(self, failure: BaseException) -> Delivered:
        """Decide what becomes of an answer that could not be sent, and show it by a reaction."""
        if isinstance(failure, Thinned | discord.RateLimited | TimeoutError):
            await self.reactions.show(self.message, self.offer if self.message.guild else LATE)
            return Delivered(Fate.OFFERED)
        if isinstance(failure, discord.Forbidden | ChannelClosed):
            await self.reactions.show(self.message, MUTE)
            return Delivered(Fate.DROPPED)
        if _message_is_gone(failure):
            return Delivered(Fate.DROPPED)
        log.warning("The answer to the message %d could not be sent: %s", self.message.id, failure)
        return Delivered(Fate.POSTPONED)

    def _letter(self, answer: Answer, buttons: AnswerButtons | None) -> Letter:
        allowed = permissions_at(self.message)
        return Letter(
            self.message,
            answer,
            late_at=self.late_at.timestamp(),
            buttons=buttons,
            embeds=allowed.embeds,
            reference=allowed.reference,
            silent=self.silent,
        )


@dataclass(frozen=True, slots=True)
class DirectReply(ApartFromImages):
    """A direct message to whoever asked about a message.

    `again`: an earlier run may have sent it before it crashed. Where direct messages are closed, a reaction
    tells so, or, for somebody who `asked` in words, a line `in_channel` that names another way.
    """

    in_channel: ChannelReply
    client: discord.Client
    asker: discord.abc.Snowflake
    language: Language
    channel_language: Language
    asked: bool
    again: bool = False
    private: ClassVar[bool] = True
    pointless_buttons: ClassVar[frozenset[str]] = frozenset({"dm_button"})

    @property
    def source_link(self) -> str:
        """A link to the message that is answered, behind words."""
        return link_to(self.in_channel.message.jump_url, self.language)

    async def admits(self) -> bool:
        """Set a reaction where the answer is late."""
        return await self.in_channel.is_in_time()

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[Promise | None]:
        """Show nothing: nobody in the channel waits."""
        yield Promise()

    async def refuse(self, line: str, reaction: str) -> None:
        """Set a reaction to the message."""
        await self.in_channel.refuse(line, reaction)

    async def deliver(self, answer: Answer, buttons: AnswerButtons | None) -> Delivered:
        """Send the answer to the asker alone."""
        source = self.in_channel.message
        try:
            async with asyncio.timeout((self.in_channel.late_at - discord.utils.utcnow()).total_seconds()):
                sent = await send_directly(
                    self.client,
                    self.asker,
                    answer,
                    self.language,
                    source_id=source.id,
                    nonce=nonce_of(source),
                    buttons=buttons,
                    again=self.again,
                )
        except TimeoutError as failure:
            return await self.in_channel.give_up(failure)
        if isinstance(sent, discord.Message):
            return Delivered(Fate.SENT, sent)
        if not self.asked or not permissions_at(source).send:
            await self.in_channel.reactions.show(source, CLOSED)
            return Delivered(Fate.DROPPED)
        line = self.channel_language.gettext(
            "You don't accept direct messages from me. Open the menu of the message with the picture and "
            "choose Apps, then **{menu}**: only you see that answer."
        ).format(menu=self.channel_language.gettext(MENU))
        return await self.in_channel.deliver(Answer.line(line), None)


@dataclass(frozen=True, slots=True)
class OfferReaction:
    """The reaction that somebody may click to have an answer, in the place of one.

    `certain`: at least one image surely is one; what may be no image is not offered.
    """

    in_channel: ChannelReply
    certain: bool

    async def show(self) -> None:
        """Set the reaction, unless an answer would be late already."""
        if self.certain and discord.utils.utcnow() <= self.in_channel.late_at:
            await self.in_channel.reactions.show(self.in_channel.message, self.in_channel.offer)


def _message_is_gone(failure: BaseException) -> bool:
    """Discord refuses a reply to a deleted message as an invalid form; 404 is a deleted channel."""
    if isinstance(failure, discord.NotFound):
        return True
    return isinstance(failure, discord.HTTPException) and "message_reference" in failure.text
