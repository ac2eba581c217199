"""What is asked for: the same for every way in, from an event to the answer."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import discord

from bot.delivery.destination import Destination
from bot.i18n import Language
from bot.image_source import ImageSource
from bot.policy.effective_settings import Effective
from bot.policy.quota import Grant
from bot.tracing.observer import Way


@dataclass(frozen=True, slots=True)
class MessageOrigin:
    """A message is answered. The answer goes when one of `source_ids` is deleted.

    `clicked`: the answer was asked for by clicking an offer. `asked`: somebody asked in some way; otherwise
    the channel is watched. `edited`: an answer stands already, and the message shows other images now.
    `missed`: it was written, or clicked, while the bot was away.
    """

    message_id: int
    channel_id: int
    source_ids: frozenset[int]
    asked: bool
    clicked: bool = False
    edited: bool = False
    missed: bool = False

    @property
    def identity(self) -> int:
        """The id by which the open work is known."""
        return self.message_id

    @property
    def way(self) -> Way:
        """How the request came in, in a server."""
        if self.missed:
            return "catch_up"
        if self.edited:
            return "edit"
        return "offer" if self.clicked else "mention" if self.asked else "watched"


@dataclass(frozen=True, slots=True)
class InteractionOrigin:
    """A command is answered. `options` are what an answer after a restart needs besides the images, as JSON.

    `revived`: an earlier run of the bot accepted it, and wrote it down.
    `menu`: it was picked from a message's menu.
    """

    interaction_id: int
    application_id: int
    token: str
    channel_id: int | None
    options: Mapping[str, str | int | bool | None]
    revived: bool = False
    menu: bool = False

    @property
    def identity(self) -> int:
        """The id by which the open work is known."""
        return self.interaction_id

    @property
    def way(self) -> Way:
        """How the request came in."""
        return "catch_up" if self.revived else "menu" if self.menu else "command"


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody wants an answer about images.

    `asker` asks, and is charged for it; `author_id` is who posted the images. `found` is how many images
    there are; `images` are those of them that may be looked at. `guild_id` is the server's, where `guild` may
    still be None: a command works also where the bot is no member. `granted` is what an earlier run has
    charged for already, `paid` how many images this run has. `sentence` is what is said where there is
    nothing to look at. `top` is how many labels the asker wants. `asked_at` is when it was asked for, or
    written, by this machine's clock.
    """

    origin: MessageOrigin | InteractionOrigin
    asker: discord.abc.Snowflake
    author_id: int
    guild_id: int | None
    guild: discord.Guild | None
    images: Sequence[ImageSource]
    found: int
    in_force: Effective
    destination: Destination
    asked_at: datetime.datetime
    granted: Grant | None = None
    paid: int = 0
    sentence: str = ""
    top: int | None = None

    @property
    def way(self) -> Way:
        """How it came in."""
        direct = self.guild_id is None and self.origin.way in ("mention", "watched")
        return "direct_message" if direct else self.origin.way

    @property
    def language(self) -> Language:
        """The language of whoever reads the answer."""
        return self.in_force.own_language if self.destination.private else self.in_force.shared_language

    @property
    def group(self) -> int:
        """The account that the queue is shared out by: the server, or in a direct message the asker."""
        return self.guild_id or self.asker.id

    @property
    def owners(self) -> tuple[int | None, ...]:
        """The people and the server whose work it is; if one of them is erased, it ends."""
        return (self.asker.id, self.author_id, self.guild_id)

    @property
    def source_ids(self) -> frozenset[int]:
        """The messages with which the answer goes."""
        return self.origin.source_ids if isinstance(self.origin, MessageOrigin) else frozenset()

    @property
    def unasked(self) -> bool:
        """Whether nobody asked, and the answer comes because the channel is watched."""
        return isinstance(self.origin, MessageOrigin) and not self.origin.asked

    @property
    def leaves_offer(self) -> bool:
        """Whether the asker clicked and gets the answer alone, so that others may still click."""
        return isinstance(self.origin, MessageOrigin) and self.origin.clicked and self.destination.private
