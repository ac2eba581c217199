"""What becomes of the images of a message: whether they are looked at, for whom, and how the answer comes."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import discord

from bot.i18n import Language
from bot.intake.message_images import Source
from bot.policy.audience import places, role_ids
from bot.policy.in_force import Effective, effective, in_force
from bot.store import MemberPreferences

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = ["Manner", "Request", "asked_for", "unasked", "without_wishes"]

Manner = Literal["reply", "silent", "react", "direct"]


@dataclass(frozen=True, slots=True)
class Request:
    """`message` is answered, with what is in `images`, in the manner that suits `asker` and the place.

    `wants`: what holds for `asker` there. `asked`: somebody did; else the channel is watched. `since`: when
    the request was made. `pictured`: the message that the images stand in, where that is another one.
    `left_alone`: there are none because whoever posted them wishes that nobody looks at them. `clicked`: it
    was asked for by taking an offer.
    """

    message: discord.Message
    images: Sequence[Source]
    asker: discord.User | discord.Member
    manner: Manner
    wants: Effective
    asked: bool
    since: datetime.datetime
    pictured: discord.Message | None = None
    left_alone: bool = False
    clicked: bool = False

    @property
    def leaves_offer(self) -> bool:
        """Who clicked has the answer for themself alone, and others may still click."""
        return self.clicked and self.manner == "direct"

    @property
    def sources(self) -> set[int]:
        """The messages with which the answer goes."""
        return {self.message.id, (self.pictured or self.message).id}

    @property
    def language(self) -> Language:
        """The language of who reads the answer."""
        return self.wants.own_language if self.manner == "direct" else self.wants.shared_language

    @property
    def group(self) -> int:
        """On whose account it goes: the server's, or in a direct message the asker's."""
        return self.message.guild.id if self.message.guild else self.asker.id


async def unasked(bot: Whatsit, message: discord.Message, images: Sequence[Source]) -> Request | None:
    """What the images of a message get that nobody asked about; None is nothing.

    Raises a `StoreError`, and what discord.py raises.
    """
    wants = await _wants(bot, message, message.author)
    if message.guild is None or wants.unasked == "nothing":
        return None
    guild = wants.guild
    if not guild.watches(*places(message.channel)):
        return None
    roles = await role_ids(message.guild, message.author) if guild.ignored_roles else frozenset()
    if not roles.isdisjoint(guild.ignored_roles):
        return None
    since = message.edited_at or message.created_at
    return Request(message, images, message.author, wants.unasked, wants, asked=False, since=since)


async def asked_for(
    bot: Whatsit,
    message: discord.Message,
    images: Sequence[Source],
    *,
    asker: discord.User | discord.Member | None = None,
    pictured: discord.Message | None = None,
    since: datetime.datetime | None = None,
    clicked: bool = False,
) -> Request:
    """What somebody (else its author) asks for about a message, or with it about another one.

    Raises a `StoreError`.
    """
    asker = asker or message.author
    author = (pictured or message).author
    wants = await _wants(bot, message, asker)
    left_alone = bool(images) and (await bot.store.members.get(author.id)).leave_alone
    return Request(
        message,
        () if left_alone else images,
        asker,
        _manner(message, wants),
        wants,
        asked=True,
        since=since or message.edited_at or message.created_at,
        pictured=pictured,
        left_alone=left_alone,
        clicked=clicked,
    )


def without_wishes(bot: Whatsit, message: discord.Message) -> Request:
    """To say a word about a message where nobody's wishes are known."""
    locale = message.guild.preferred_locale if message.guild else None
    wants = in_force(bot.store.guilds.defaults, MemberPreferences(), guild_locale=locale)
    now = discord.utils.utcnow()
    return Request(message, (), message.author, "reply", wants, asked=True, since=now)


def _manner(message: discord.Message, wants: Effective) -> Manner:
    if message.guild is None:
        return "reply"
    if wants.private or wants.direct:  # no message in a channel is for one person's eyes only
        return "direct"
    return "silent" if wants.guild.how == "silent" else "reply"


async def _wants(bot: Whatsit, message: discord.Message, asker: discord.abc.Snowflake) -> Effective:
    guild = message.guild
    return await effective(
        bot.store,
        asker.id,
        guild.id if guild else None,
        guild_locale=guild.preferred_locale if guild else None,
    )
