"""React to messages: say what needs no words, and offer an answer."""

from __future__ import annotations

import logging

import discord
from cachetools import TTLCache

from bot.delivery.channel_permissions import FAILURES, permissions_at

log = logging.getLogger(__name__)

LATE, MUTE = "⌛", "🔇"
OVER_QUOTA = "🐢"
"""More images than a member, or the server, may have looked at in a minute."""
CLOSED = "📪"
"""The answer was to come by direct message, and they are closed."""
FAILED = "⚠️"
"""Nobody asked about the image, and it cannot be named: it is damaged, too large or no image at all."""
OFFER = "🔍"
"""Whoever clicks it gets the answer; a server may choose another one."""
QUIET = 3600.0
"""Seconds between two log lines about one channel."""
UNKNOWN_EMOJI = 10014
REMEMBERED, A_WHILE = 10_000, 3600.0
"""Reactions that are not set again, and for how many seconds; the oldest are forgotten."""


class Reactions:
    """Sets reactions where that is allowed; elsewhere the log says so, once an hour and channel."""

    def __init__(self) -> None:
        self._logged: dict[int, float] = {}
        self._set: TTLCache[tuple[int, int | str], bool] = TTLCache(REMEMBERED, ttl=A_WHILE)

    def stands(self, message_id: int, emoji: str) -> bool:
        """Return whether the bot has reacted to the message of late."""
        return (message_id, _key(emoji)) in self._set

    async def show(self, message: discord.Message | discord.PartialMessage, emoji: str) -> None:
        """React to a message, unless the bot has done so already."""
        if self.stands(message.id, emoji):
            return
        if permissions_at(message).react:
            self._set[message.id, _key(emoji)] = True
            try:
                await message.add_reaction(emoji)
            except FAILURES as failure:
                self._set.pop((message.id, _key(emoji)), None)
                if getattr(failure, "code", None) == UNKNOWN_EMOJI and emoji != OFFER:
                    await self.show(message, OFFER)  # a server's own emoji that was deleted since
                    return
                if isinstance(failure, discord.NotFound):
                    return  # the message is gone, and with it the need to say anything
                log.debug("The message %d could not be reacted to: %s", message.id, failure)
            else:
                return
        self._log_once(message.channel)

    async def withdraw(self, message: discord.Message, emoji: str, me: discord.abc.Snowflake) -> None:
        """Take the bot's own offer away, where there is one."""
        for reaction in own_offers(message, emoji):
            self._set.pop((message.id, _key(reaction.emoji)), None)
            try:
                await message.remove_reaction(reaction.emoji, me)
            except FAILURES as failure:
                log.debug("The offer under the message %d could not be withdrawn: %s", message.id, failure)
            message.reactions.remove(reaction)  # whoever still holds the message sees no offer either

    def _log_once(self, channel: discord.abc.MessageableChannel) -> None:
        now = discord.utils.utcnow().timestamp()
        self._logged = {known: at for known, at in self._logged.items() if now - at < QUIET}
        if channel.id not in self._logged:
            self._logged[channel.id] = now
            log.warning(
                "Cannot answer in the channel %d: it allows me neither messages nor reactions", channel.id
            )


def own_offers(message: discord.Message, chosen: str) -> list[discord.Reaction]:
    """Return the bot's own offers under a message that was just fetched."""
    return [reaction for reaction in message.reactions if reaction.me and is_offer(reaction.emoji, chosen)]


def is_offer(emoji: discord.PartialEmoji | discord.Emoji | str, chosen: str) -> bool:
    """Return whether a reaction with `emoji` is an offer where a server has chosen `chosen`."""
    return any(_key(emoji) == _key(offer) for offer in (chosen, OFFER))


def _key(emoji: discord.PartialEmoji | discord.Emoji | str) -> int | str:
    """Tell emoji apart: a server's own may be renamed, and Discord drops the mark that asks for colour."""
    if isinstance(emoji, str):
        emoji = discord.PartialEmoji.from_str(emoji)
    return emoji.id or emoji.name.removesuffix("\ufe0f")
