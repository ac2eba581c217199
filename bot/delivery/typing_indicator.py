"""Show "Whatsit is typing…" while an answer is being made."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord

from bot.delivery.channel_permissions import FAILURES

log = logging.getLogger(__name__)

TYPING = 8.0
"""Seconds between two typing indicators; Discord shows one for ten."""


@asynccontextmanager
async def typing(channel: discord.abc.Messageable) -> AsyncIterator[None]:
    """Show the indicator while the context lasts. It is a courtesy: nobody waits for it, and it may fail."""
    courtesy = asyncio.create_task(_keep_typing(channel))
    try:
        yield
    finally:
        courtesy.cancel()


async def _keep_typing(channel: discord.abc.Messageable) -> None:
    try:
        while True:
            await channel.typing()
            await asyncio.sleep(TYPING)
    except FAILURES as error:
        place = getattr(channel, "id", None)
        log.debug("The typing indicator could not be shown in the channel %s: %s", place, error)
