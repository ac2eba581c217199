"""An answer on demand: somebody clicks the reaction with which Whatsit offers one."""

from __future__ import annotations

import datetime
import logging
from functools import partial
from typing import TYPE_CHECKING, cast

import discord
from discord.ext import commands

from bot.delivery.reactions import is_offer, offers
from bot.delivery.sending import FAILURES
from bot.intake.message_images import images_of
from bot.intake.message_requests import asked_for
from bot.policy.in_force import guild_settings

if TYPE_CHECKING:
    from bot.client import Whatsit
    from bot.cogs.messages import Watch
    from bot.store import OpenMessage

__all__ = ["Offers"]

log = logging.getLogger(__name__)


class Offers(commands.Cog):
    """Offers outlive a restart: what is on offer has the bot's own reaction, and nothing else is known."""

    def __init__(self, bot: Whatsit, watch: Watch) -> None:
        self.bot = bot
        self._watch = watch

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Somebody clicked a reaction, ours or another."""
        member = payload.member
        if self.bot.stopping or payload.guild_id is None or member is None or member.bot:
            return
        settings = await guild_settings(self.bot.store, payload.guild_id)
        if not is_offer(payload.emoji, settings.emoji):
            return
        try:
            message = await self._message(payload)
        except FAILURES as failure:
            log.debug("A message with a reaction cannot be read: %s", failure)
            return
        if offers(message, settings.emoji):
            await self._watch.work_on(message, partial(self._take, member=member))

    async def again(self, message: discord.Message, row: OpenMessage) -> None:
        """A crash came between a click and its answer."""
        if message.guild is not None:
            try:
                member = await message.guild.fetch_member(row.user_id)
            except discord.NotFound:
                return
            await self._watch.work_on(message, partial(self._take, member=member, since=row.accepted_at))

    async def _take(
        self, message: discord.Message, *, member: discord.Member, since: datetime.datetime | None = None
    ) -> None:
        """Answer once. Who wants it for themself alone leaves the offer to the others."""
        images = images_of(message, self.bot.settings.watch)
        since = since or discord.utils.utcnow()
        request = await asked_for(self.bot, message, images, asker=member, since=since, clicked=True)
        done = not request.images or (await self._watch.answer(request) and not request.leaves_offer)
        if done and self.bot.user is not None:
            await self._watch.replies.signs.withdraw(message, request.wants.guild.emoji, self.bot.user)

    async def _message(self, payload: discord.RawReactionActionEvent) -> discord.Message:
        channel = self.bot.get_channel(payload.channel_id) or await self.bot.fetch_channel(payload.channel_id)
        return await cast("discord.abc.Messageable", channel).fetch_message(payload.message_id)
