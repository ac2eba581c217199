"""Turn a message, or a click on an offer under it, into a request."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import discord
from cachetools import TTLCache

from bot.answering.request import MessageOrigin, Request
from bot.connection.http_watch import HttpWatch
from bot.delivery.message_replies import ChannelReply, DirectReply, OfferReaction
from bot.delivery.outbox import Outbox
from bot.delivery.reactions import Reactions
from bot.erasable_memory import ErasableMemory
from bot.image_source import ImageSource
from bot.intake.message_images import images_of
from bot.policy.audience import Audience, place_ids, replied_to, role_ids
from bot.policy.deadlines import answer_deadline
from bot.policy.effective_settings import Effective, in_force, in_force_for
from bot.policy.opt_out import is_left_alone
from bot.policy.quota import Grant
from bot.presentation.help_texts import left_alone_sentence, no_picture_sentence
from bot.store import MemberPreferences, Store
from config.settings import Settings

HELPED = 10_000
"""People of whom it is remembered that they know what to send; the longest unheard of go first."""
A_DAY = 24 * 60 * 60.0


class MessageRequests(ErasableMemory):
    """Reads what a message asks for, under the settings and preferences that are in force."""

    def __init__(
        self,
        *,
        client: discord.Client,
        settings: Settings,
        store: Store,
        audience: Audience,
        reactions: Reactions,
        watch: HttpWatch,
    ) -> None:
        self._client = client
        self._settings = settings
        self._store = store
        self._audience = audience
        self._reactions = reactions
        self._watch = watch
        self._outbox = Outbox()
        self._helped: TTLCache[int, bool] = TTLCache(HELPED, ttl=A_DAY)

    def forget_everyone(self) -> None:
        """Forget who knows what to send."""
        self._helped.clear()

    def forget_user(self, user_id: int) -> None:
        """Forget that a person knows what to send."""
        self._helped.pop(user_id, None)

    def images_of(self, message: discord.Message) -> list[ImageSource]:
        """Return the images of a message that count here."""
        return images_of(message, self._settings.watch)

    def is_addressed(self, message: discord.Message) -> bool:
        """Return whether the message asks the bot something."""
        return self._audience.is_addressed(message, has_images=bool(self.images_of(message)))

    def written_at(self, message: discord.Message) -> datetime.datetime:
        """Return when a message was written or last edited, by this machine's clock."""
        return self._watch.clock.here(message.edited_at or message.created_at)

    async def of_message(
        self, message: discord.Message, *, missed: bool = False, charged: bool = False
    ) -> Request | OfferReaction | None:
        """Return what a message asks for, or what its images get in a watched channel; None for nothing.

        `missed`: it was posted while the bot was away. `charged`: an earlier run has charged its author.
        Raises a `StoreError`, and what discord.py raises when Discord cannot be asked for roles.
        """
        images = self.images_of(message)
        if not self._audience.is_addressed(message, has_images=bool(images)):
            return await self._unasked(message, images, missed=missed, charged=charged) if images else None
        other = None if images else replied_to(message)
        if (
            message.guild is None
            and other is None
            and self._needs_no_help(message.author.id, shown=bool(images))
        ):
            return None
        return await self._asked(
            message,
            self.images_of(other) if other else images,
            message.author,
            wanted_at=self.written_at(message),
            pictured=other,
            missed=missed,
            charged=charged,
        )

    def _needs_no_help(self, user_id: int, *, shown: bool) -> bool:
        """Return whether a direct message without a picture is small talk: its author knows what to do.

        `shown`: there is a picture in it.
        """
        known = user_id in self._helped
        self._helped[user_id] = True
        return known and not shown

    async def of_click(
        self,
        message: discord.Message,
        member: discord.Member,
        *,
        clicked_at: datetime.datetime,
        missed: bool = False,
        paid: int = 0,
    ) -> Request:
        """Return the request of somebody who clicked the offer under a message. Raises a `StoreError`.

        `missed`: an earlier run has accepted and charged it. `paid`: so many images are charged already.
        """
        request = await self._asked(
            message,
            self.images_of(message),
            member,
            wanted_at=clicked_at,
            missed=missed,
            charged=missed,
            clicked=True,
        )
        return replace(request, paid=paid)

    async def of_edit(
        self, message: discord.Message, *, in_channel: bool, charged: bool = False
    ) -> Request | None:
        """Return the request to revise an answer that stands in the channel, or in a direct message.

        `charged`: an earlier run has charged for it. None where its author wants no image looked at. Raises a
        `StoreError`.
        """
        images, now = self.images_of(message), discord.utils.utcnow()
        request = await self._asked(message, images, message.author, wanted_at=now, charged=charged)
        reply = self._reply(message, request.in_force, answer_deadline(now, self._settings.watch))
        destination = reply if in_channel else self._direct(reply, message.author, request.in_force)
        asked = self._audience.is_addressed(message, has_images=bool(images))
        origin = replace(cast("MessageOrigin", request.origin), edited=True, asked=asked)
        return replace(request, origin=origin, destination=destination) if request.images else None

    def of_failure(self, message: discord.Message) -> Request:
        """Return a request to say something about a message where nobody's wishes are known."""
        wishes = in_force(
            self._store.guilds.defaults, MemberPreferences(), guild_locale=_locale(message.guild)
        )
        deadline = answer_deadline(discord.utils.utcnow(), self._settings.watch)
        reply = self._reply(message, wishes, deadline)
        return self._request(message, (), message.author, wishes, reply, asked_at=self.written_at(message))

    async def _unasked(
        self, message: discord.Message, images: Sequence[ImageSource], *, missed: bool, charged: bool
    ) -> Request | OfferReaction | None:
        wishes = await self._in_force(message, message.author)
        guild = wishes.guild
        if (
            message.guild is None
            or wishes.unasked == "nothing"
            or not guild.watches(*place_ids(message.channel))
        ):
            return None
        roles = await role_ids(message.guild, message.author) if guild.ignored_roles else frozenset()
        if not roles.isdisjoint(guild.ignored_roles):
            return None
        written_at = self.written_at(message)
        deadline = answer_deadline(written_at, self._settings.watch, missed=missed)
        reply = self._reply(message, wishes, deadline, silent=wishes.unasked == "silent")
        if wishes.unasked == "react":
            return OfferReaction(reply, certain=any(image.certain for image in images))
        destination = (
            self._direct(reply, message.author, wishes, asked=False, again=charged)
            if wishes.unasked == "direct"
            else reply
        )
        return self._request(
            message,
            images,
            message.author,
            wishes,
            destination,
            asked_at=written_at,
            asked=False,
            missed=missed,
            charged=charged,
        )

    async def _asked(
        self,
        message: discord.Message,
        images: Sequence[ImageSource],
        asker: discord.User | discord.Member,
        *,
        wanted_at: datetime.datetime,
        pictured: discord.Message | None = None,
        missed: bool = False,
        charged: bool = False,
        clicked: bool = False,
    ) -> Request:
        author = (pictured or message).author
        wishes = await self._in_force(message, asker)
        left_alone = bool(images) and is_left_alone(await self._store.members.get(author.id))
        reply = self._reply(
            message,
            wishes,
            answer_deadline(wanted_at, self._settings.watch, missed=missed),
            silent=message.guild is not None and wishes.guild.how == "silent",
        )
        # No message in a channel is for one person's eyes only.
        direct = message.guild is not None and (wishes.private or wishes.direct)
        request = self._request(
            message,
            () if left_alone else images,
            asker,
            wishes,
            self._direct(reply, asker, wishes, again=charged) if direct else reply,
            asked_at=wanted_at,
            pictured=pictured,
            missed=missed,
            charged=charged,
            clicked=clicked,
        )
        if request.images:
            return request
        sentence = (
            left_alone_sentence(author.id, asker.id, request.language)
            if left_alone
            else no_picture_sentence(
                request.language,
                in_guild=message.guild is not None,
                replied=replied_to(message) is not None,
                reads_messages=self._audience.reads_messages,
                has_commands=self._settings.discord.api_url is None,
            )
        )
        return replace(request, sentence=sentence)

    def _request(
        self,
        message: discord.Message,
        images: Sequence[ImageSource],
        asker: discord.User | discord.Member,
        wishes: Effective,
        destination: ChannelReply | DirectReply,
        *,
        asked_at: datetime.datetime,
        asked: bool = True,
        pictured: discord.Message | None = None,
        missed: bool = False,
        charged: bool = False,
        clicked: bool = False,
    ) -> Request:
        shown = min(len(images), self._settings.limits.images_per_answer)
        return Request(
            origin=MessageOrigin(
                message_id=message.id,
                channel_id=message.channel.id,
                source_ids=frozenset({message.id, (pictured or message).id}),
                asked=asked,
                clicked=clicked,
                missed=missed or charged,
            ),
            asker=asker,
            author_id=(pictured or message).author.id,
            guild_id=message.guild.id if message.guild else None,
            guild=message.guild,
            images=images,
            found=len(images),
            in_force=wishes,
            destination=destination,
            granted=Grant(shown or 1) if charged else None,
            asked_at=asked_at,
        )

    def _reply(
        self, message: discord.Message, wishes: Effective, late_at: datetime.datetime, *, silent: bool = False
    ) -> ChannelReply:
        return ChannelReply(
            message,
            self._outbox,
            self._reactions,
            self._watch.channels,
            late_at,
            offer=wishes.guild.emoji,
            silent=silent,
        )

    def _direct(
        self,
        reply: ChannelReply,
        asker: discord.User | discord.Member,
        wishes: Effective,
        *,
        asked: bool = True,
        again: bool = False,
    ) -> DirectReply:
        return DirectReply(
            reply, self._client, asker, wishes.own_language, wishes.shared_language, asked=asked, again=again
        )

    async def _in_force(self, message: discord.Message, asker: discord.abc.Snowflake) -> Effective:
        guild = message.guild
        return await in_force_for(
            self._store, asker.id, guild.id if guild else None, guild_locale=_locale(guild)
        )


def _locale(guild: discord.Guild | None) -> discord.Locale | None:
    return guild.preferred_locale if guild else None
