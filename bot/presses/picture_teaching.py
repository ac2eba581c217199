"""Teach by the picture of an answer: that it is none of the server's labels, or which one it is."""

from __future__ import annotations

from typing import Any

import discord

from bot.buttons.image_mark import ImageMark
from bot.i18n import Language
from bot.policy.effective_settings import guild_settings
from bot.policy.teachers import may_teach
from bot.presentation.teaching_words import ONLY_IN_SERVERS, not_a_teacher
from bot.presses.answer_picture import AnswerPictureLookup
from bot.presses.errors import InteractionRefused
from bot.presses.picture_explaining import NOT_FOUND
from bot.store import Store
from bot.teaching.lesson_words import lesson_words
from bot.teaching.teacher import ShownPicture, Teacher
from config.settings import Limits


class PictureTeaching:
    """Lets teachers correct an answer where it stands."""

    def __init__(
        self, *, store: Store, teacher: Teacher, lookup: AnswerPictureLookup, limits: Limits
    ) -> None:
        self._store = store
        self._teacher = teacher
        self._lookup = lookup
        self._limits = limits

    async def check(self, interaction: discord.Interaction[Any], language: Language) -> int:
        """Return the server's id. Raises `InteractionRefused` for whoever may not teach there."""
        if interaction.guild_id is None:
            raise InteractionRefused(language.gettext(ONLY_IN_SERVERS))
        settings = await guild_settings(self._store, interaction.guild_id)
        if not await may_teach(interaction, settings):
            raise InteractionRefused(not_a_teacher(settings, language))
        return interaction.guild_id

    async def may(self, interaction: discord.Interaction[Any]) -> bool:
        """Return whether the presser may teach here."""
        if interaction.guild_id is None:
            return False
        return await may_teach(interaction, await guild_settings(self._store, interaction.guild_id))

    async def teach(
        self, interaction: discord.Interaction[Any], mark: ImageMark, name: str | None, language: Language
    ) -> str:
        """Teach that the picture of `mark` is `name`, or "none of these", and return what to say of it.

        Raises `InteractionRefused`, a `TeachingRefused` or a `StoreError`; then nothing was taught.
        """
        guild_id = await self.check(interaction, language)
        found = await self._lookup.find(interaction, mark)
        if not found.images:
            raise InteractionRefused(language.gettext(NOT_FOUND))
        picture, *others = found.images
        shown = ShownPicture(
            picture,
            mark.people.author,
            found.message.channel.id if found.message else None,
            found.message.id if found.message else None,
            others,
            mark.finding.labels[0].index,
        )
        lesson = await self._teacher.teach(interaction.user, guild_id, name, [shown])
        return lesson_words(name, lesson, language, self._limits)
