"""Clicks on the reaction with which the bot offers an answer."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import Callable
from functools import partial
from typing import cast

import discord
from cachetools import TTLCache
from discord.ext import commands

from bot.answering.answerer import Answerer
from bot.delivery.channel_permissions import FAILURES
from bot.delivery.reactions import OVER_QUOTA, Reactions, is_offer, own_offers
from bot.erasable_memory import ErasableMemory
from bot.intake.message_intake import MessageIntake
from bot.intake.message_requests import MessageRequests
from bot.policy.effective_settings import guild_settings
from bot.store import OpenMessage, Store
from bot.work_in_hand import WorkInHand

log = logging.getLogger(__name__)

MESSAGES, A_MINUTE = 1_000, 60.0
"""Messages that were looked up for a click, and the seconds for which none of them is looked up again."""


class OffersCog(commands.Cog, ErasableMemory):
    """Answers on demand. An offer outlives a restart: it is the bot's own reaction, and nothing is stored."""

    def __init__(
        self,
        *,
        client: discord.Client,
        store: Store,
        requests: MessageRequests,
        intake: MessageIntake,
        answerer: Answerer,
        reactions: Reactions,
        work: WorkInHand,
    ) -> None:
        self._client = client
        self._store = store
        self._requests = requests
        self._intake = intake
        self._answerer = answerer
        self._reactions = reactions
        self._work = work
        self._looked_up: TTLCache[int, asyncio.Future[discord.Message | None]] = TTLCache(
            MESSAGES, ttl=A_MINUTE
        )

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Answer whoever clicked an offer; other reactions are none of the bot's business."""
        member = payload.member
        if self._work.stopping or payload.guild_id is None or member is None or member.bot:
            return
        settings = await guild_settings(self._store, payload.guild_id)
        if not is_offer(payload.emoji, settings.emoji):
            return
        known = self._looked_up.get(payload.message_id)
        if known is None:
            if not await self._answerer.charge_look(member, settings):
                await self._refuse(payload, settings.emoji)
                return
            # Only now, since charging may have taken time: of two clicks at once one looks it up.
            known = self._looked_up.get(payload.message_id) or asyncio.ensure_future(self._message(payload))
            self._looked_up[payload.message_id] = known
            paid = 1
        else:
            paid = 0
        message = await asyncio.shield(known)
        if message is not None and own_offers(message, settings.emoji):
            clicked_at = discord.utils.utcnow()
            step = partial(self._take, member=member, clicked_at=clicked_at, paid=paid)
            await self._intake.take(message, step)

    def forget_everyone(self) -> None:
        """Forget all messages that were looked up."""
        self._looked_up.clear()

    def forget_user(self, user_id: int) -> None:
        """Forget the messages of a person that were looked up."""
        self._forget(lambda message: message.author.id == user_id)

    def forget_guild(self, guild_id: int) -> None:
        """Forget the messages of a server that were looked up."""
        self._forget(lambda message: message.guild is not None and message.guild.id == guild_id)

    def forget_channel(self, channel_id: int) -> None:
        """Forget the messages of a channel that were looked up."""
        self._forget(lambda message: message.channel.id == channel_id)

    def _forget(self, matches: Callable[[discord.Message], bool]) -> None:
        for message_id, looked_up in list(self._looked_up.items()):
            if not looked_up.done():
                continue
            message = None if looked_up.cancelled() or looked_up.exception() else looked_up.result()
            if message is None or matches(message):
                self._looked_up.pop(message_id, None)

    async def _refuse(self, payload: discord.RawReactionActionEvent, emoji: str) -> None:
        """Show that the quota is used up, under an offer; what other messages are is not looked up then."""
        channel = self._client.get_channel(payload.channel_id)
        if isinstance(channel, discord.abc.Messageable) and self._reactions.stands(payload.message_id, emoji):
            message = cast("discord.TextChannel", channel).get_partial_message(payload.message_id)
            await self._reactions.show(message, OVER_QUOTA)

    async def take_again(self, message: discord.Message, row: OpenMessage) -> None:
        """Answer a click that a crash has left unanswered."""
        if message.guild is not None:
            try:
                member = await message.guild.fetch_member(row.user_id)
            except discord.NotFound:
                return
            step = partial(self._take, member=member, clicked_at=row.accepted_at, missed=True)
            await self._intake.take(message, step)

    async def _take(
        self,
        message: discord.Message,
        *,
        member: discord.Member,
        clicked_at: datetime.datetime,
        missed: bool = False,
        paid: int = 0,
    ) -> None:
        """Answer once. Whoever gets the answer alone leaves the offer to the others."""
        request = await self._requests.of_click(
            message, member, clicked_at=clicked_at, missed=missed, paid=paid
        )
        done = not request.images or (await self._answerer.answer(request) and not request.leaves_offer)
        if done and self._client.user is not None:
            await self._reactions.withdraw(message, request.in_force.guild.emoji, self._client.user)

    async def _message(self, payload: discord.RawReactionActionEvent) -> discord.Message | None:
        """Return the message that was reacted to; None if it cannot be read."""
        try:
            channel = self._client.get_channel(payload.channel_id) or await self._client.fetch_channel(
                payload.channel_id
            )
            return await cast("discord.abc.Messageable", channel).fetch_message(payload.message_id)
        except FAILURES as failure:
            log.debug("The message %d with an offer could not be read: %s", payload.message_id, failure)
            return None
