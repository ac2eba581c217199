"""What happens to an image in a message: in a watched channel, with a mention, in a direct message."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import discord
from discord.ext import commands

from bot import buttons
from bot.answers import Answer, Outcome, Writer
from bot.delivery import typing
from bot.effective import guild_settings
from bot.errors import UNEXPECTED
from bot.i18n import Language, languages
from bot.media import Source, images_of
from bot.pipeline import look_at
from bot.quota import Grant
from bot.replies import Replies
from inference.results import NotAnImage, UnsupportedFormat

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = ["Watch"]

log = logging.getLogger(__name__)


class Watch(commands.Cog):
    """Answers messages."""

    def __init__(self, bot: Whatsit) -> None:
        self.bot = bot
        self.settings = bot.settings
        self.replies = Replies(bot)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """From a message to its answer."""
        with self.bot.ledger.reading(message):
            await self._read(message)

    async def _read(self, message: discord.Message) -> None:
        if self.bot.stopping or not self._is_heard(message):
            return
        asked = self._is_asked(message)
        if not asked and not self._is_watched(message.channel):
            return
        with self.bot.in_hand():
            try:
                images = images_of(message, self.settings.watch)
                if images:
                    await self._answer(message, images, asked=asked)
                elif asked:
                    await self._answer_question(message)
            except Exception:
                log.exception("A message could not be answered, and nobody knows why")
                await self.replies.send(message, Answer.line(self._language(message).gettext(UNEXPECTED)))

    async def _answer(
        self,
        message: discord.Message,
        images: list[Source],
        *,
        asked: bool,
        pictured: discord.Message | None = None,
    ) -> None:
        """Name these images. `pictured`: the message that they stand in, where it is not `message` itself."""
        if not await self.replies.possible(message) or not await self.replies.claim(message):
            return
        language, shown = self._language(message), images[: self.settings.limits.images_per_answer]
        if self.bot.ledger.was_granted(message.id):
            grant = Grant(len(shown))
        else:
            grant = self.bot.quota.take(message.author.id, len(shown))
        if not grant.images:
            if grant.first or not message.guild:
                await self.replies.send(message, Answer.line(grant.line(language)))
            return
        pictured = pictured or message
        sources = {message.id, pictured.id}
        async with self.bot.ledger.message(message, asked=asked):
            with self.replies.working_on(*sources):
                async with typing(message.channel):
                    outcomes = await look_at(
                        self.bot,
                        shown[: grant.images],
                        group=message.guild.id if message.guild else message.author.id,
                    )
            if not asked:
                outcomes = [outcome for outcome in outcomes if not _was_none(outcome)]
            if not outcomes:
                return
            guild = await guild_settings(self.bot.store, message.guild.id if message.guild else None)
            writer = Writer(self.settings, language, guild=guild)
            answer = writer.write(outcomes, writer.left_out(len(images)), grant.line(language))
            view = None
            if message.guild:
                people = buttons.People(message.author.id, pictured.author.id)
                models = buttons.models(self.bot)
                view = buttons.under(outcomes, people, language, guild=guild, models=models)
            await self.replies.send(message, answer, view=view, sources=sources)

    async def _answer_question(self, message: discord.Message) -> None:
        """Somebody asks without an image: they mean another message's, or need a word of help."""
        language, other = self._language(message), _replied_to(message)
        images = images_of(other, self.settings.watch) if other else []
        if other and images:
            await self._answer(message, images, asked=True, pictured=other)
            return
        if other and message.guild and not self.bot.intents.message_content:
            line = language.gettext(
                "I can't see the pictures of other messages here. Open that message's menu and choose "
                "Apps, then **{menu}**"
            ).format(menu=language.gettext("What's in this image?"))
        elif other:
            line = language.gettext("I see no picture in that message. Reply to one that has a picture.")
        elif message.guild:
            line = language.gettext(
                "Show me a picture and I'll say what's in it: post it and mention me, or use `/classify`."
            )
        else:
            line = language.gettext("Send me a picture, and I'll say what's in it.")
        grant = self.bot.quota.take(message.author.id, 1)
        if not grant.images and not grant.first and message.guild:
            return
        if await self.replies.possible(message) and await self.replies.claim(message):
            await self.replies.send(message, Answer.line(grant.line(language) or line))

    @commands.Cog.listener()
    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Discord looks links up after the message was sent, and adds their pictures to it like an edit."""
        message = payload.message
        looked_up = message.embeds and message.edited_at is None and not self.replies.late(message)
        if self.settings.watch.links and looked_up and self._is_watched(message.channel):
            await self.on_message(message)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Takes the answer away with its message."""
        await self.replies.forget([payload.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Likewise, for a purge."""
        await self.replies.forget(payload.message_ids)

    def _is_heard(self, message: discord.Message) -> bool:
        """People are; bots and webhooks only if the owner listed them; the bot itself never."""
        if message.author == self.bot.user:
            return False
        if message.webhook_id is not None:
            return message.application_id in self.settings.watch.applications
        return not message.author.bot or message.author.id in self.settings.watch.applications

    def _is_watched(self, channel: discord.abc.MessageableChannel) -> bool:
        """By its own id, or for a thread or forum post by its parent's."""
        watched = self.settings.watch.channels
        return watched is None or channel.id in watched or getattr(channel, "parent_id", None) in watched

    def _is_asked(self, message: discord.Message) -> bool:
        """In a direct message, or where the message names the bot or its role.

        To Discord a reply is a mention of its addressee. Here only what was typed counts, and a reply to an
        answer is small talk unless it brings images of its own.
        """
        me = self.bot.user
        if me is None:
            return False
        replied = _replied_to(message)
        if replied and replied.author == me:
            return bool(images_of(message, self.settings.watch))
        if message.guild is None or me.id in message.raw_mentions:
            return True
        role = message.guild.self_role
        return role is not None and role in message.role_mentions

    def _language(self, message: discord.Message) -> Language:
        return languages.of(message.guild.preferred_locale if message.guild else None)


def _replied_to(message: discord.Message) -> discord.Message | None:
    resolved = message.reference.resolved if message.reference else None
    return resolved if isinstance(resolved, discord.Message) else None


def _was_none(outcome: Outcome) -> bool:
    """A file of unknown kind that turned out to be no image is nobody's request."""
    return not outcome.source.certain and isinstance(outcome.result, NotAnImage | UnsupportedFormat)
