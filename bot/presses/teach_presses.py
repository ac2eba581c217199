"""What happens when the form of "Teach Whatsit…" is sent: the pictures of its message are taught."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import discord

from bot.answering.answerer import STOPPED
from bot.answering.ledger import Ledger
from bot.delivery.channel_permissions import FAILURES
from bot.delivery.interaction_responses import defer, say
from bot.i18n import Language
from bot.image_source import ImageSource
from bot.presses.errors import InteractionRefused, PressOutdated, Sentences
from bot.presses.picture_explaining import NOT_FOUND
from bot.presses.picture_teaching import PictureTeaching
from bot.presses.press import Press, PressHandler
from bot.store import Store
from bot.teaching.lesson_words import LESSON_SENTENCES, OUTDATED, lesson_words
from bot.teaching.teach_form import label_from
from bot.teaching.teacher import ShownPicture, Teacher
from bot.work_in_hand import WorkInHand
from config.settings import Limits

PANEL = "teach"
PICTURES = 5
"""Of one message, as many as `/teach` takes."""


class TeachPresses(PressHandler):
    """Handles the form, which a message's menu opens."""

    panel = PANEL
    sentences: ClassVar[Sentences] = {**LESSON_SENTENCES, PressOutdated: OUTDATED}

    def __init__(
        self,
        *,
        store: Store,
        teacher: Teacher,
        teaching: PictureTeaching,
        ledger: Ledger,
        work: WorkInHand,
        images_of: Callable[[discord.Message], Sequence[ImageSource]],
        limits: Limits,
    ) -> None:
        """`images_of` finds the images of a message."""
        self._store = store
        self._teacher = teacher
        self._teaching = teaching
        self._ledger = ledger
        self._work = work
        self._images_of = images_of
        self._limits = limits

    def check(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:
        """Let everybody through: who may teach is asked in `act`, which can wait for Discord."""

    async def act(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:
        """Teach the pictures of the message."""
        if press.verb != "form" or not press.what.isdecimal():
            raise PressOutdated(press)
        guild_id = await self._teaching.check(interaction, language)
        name = label_from(press.typed, await self._store.teaching.names(guild_id))
        message = await self._message(interaction, int(press.what), language)
        pictures = [
            ShownPicture(image, message.author.id, message.channel.id, message.id)
            for image in self._images_of(message)[:PICTURES]
        ]
        if not pictures:
            raise InteractionRefused(language.gettext(NOT_FOUND))
        with self._work.of(interaction.user.id, message.author.id, guild_id):
            async with self._ledger.open_press(interaction):
                if await defer(interaction, private=True) is not None:
                    lesson = await self._teacher.teach(interaction.user, guild_id, name, pictures)
                    await say(interaction, lesson_words(name, lesson, language, self._limits))
            return
        await say(interaction, language.gettext(STOPPED))

    async def _message(
        self, interaction: discord.Interaction[Any], message_id: int, language: Language
    ) -> discord.Message:
        try:
            if isinstance(interaction.channel, discord.abc.Messageable):
                return await interaction.channel.fetch_message(message_id)
        except FAILURES as failure:
            raise InteractionRefused(language.gettext(NOT_FOUND)) from failure
        raise InteractionRefused(language.gettext(NOT_FOUND))
