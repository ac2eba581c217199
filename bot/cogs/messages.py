"""New messages, which are answered where they ask for it."""

from __future__ import annotations

import discord
from discord.ext import commands

from bot.intake.message_intake import MessageIntake


class MessagesCog(commands.Cog):
    """Answers images in watched channels, mentions and direct messages."""

    def __init__(self, intake: MessageIntake) -> None:
        self._intake = intake

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer a message, if it is for the bot."""
        await self._intake.message_posted(message)
