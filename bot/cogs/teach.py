"""`/teach`: show Whatsit what a word of the server's own means."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Range, locale_str
from discord.ext import commands

from bot.answering.answerer import STOPPED
from bot.answering.ledger import Ledger
from bot.components.controls import matching_choices
from bot.delivery.interaction_responses import defer, say
from bot.intake.message_images import source_of
from bot.policy.effective_settings import language_of
from bot.policy.teachers import may_teach
from bot.presentation.errors import LEAVING
from bot.presentation.teaching_words import not_a_teacher
from bot.presses.errors import InteractionRefused, explain
from bot.settings_ui.setting_values import guild_id_of
from bot.store import Store
from bot.store.taught_results import LABEL_NAME
from bot.teaching.lesson_words import LESSON_SENTENCES, lesson_words
from bot.teaching.teacher import ShownPicture, Teacher
from bot.work_in_hand import WorkInHand
from config.settings import Limits

Interaction = discord.Interaction[Any]


class TeachCog(commands.Cog):
    """Answers `/teach`, for the teacher's eyes only."""

    def __init__(
        self, *, store: Store, teacher: Teacher, ledger: Ledger, work: WorkInHand, limits: Limits
    ) -> None:
        self._store = store
        self._teacher = teacher
        self._ledger = ledger
        self._work = work
        self._limits = limits

    @app_commands.command(
        name=locale_str("teach"), description=locale_str("Teach me a word of your own, with pictures")
    )
    @app_commands.describe(
        label=locale_str("The word: one I know here already, or a new one"),
        picture=locale_str("A picture that shows it"),
        picture2=locale_str("One more"),
        picture3=locale_str("One more"),
        picture4=locale_str("One more"),
        picture5=locale_str("One more"),
    )
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def teach(  # noqa: PLR0917 - discord.py reads the options from it
        self,
        interaction: Interaction,
        label: Range[str, 1, LABEL_NAME],
        picture: discord.Attachment,
        picture2: discord.Attachment | None = None,
        picture3: discord.Attachment | None = None,
        picture4: discord.Attachment | None = None,
        picture5: discord.Attachment | None = None,
    ) -> None:
        """Teach a label by up to five pictures."""
        language = await language_of(self._store, interaction)
        if self._work.stopping:
            await say(interaction, language.gettext(LEAVING))
            return
        guild_id, user = guild_id_of(interaction), interaction.user
        settings = await self._store.guilds.get(guild_id)
        if not await may_teach(interaction, settings):
            raise InteractionRefused(not_a_teacher(settings, language))
        files = [file for file in (picture, picture2, picture3, picture4, picture5) if file]
        pictures = [ShownPicture(source_of(file), user.id) for file in files]
        with self._work.hold():
            with self._work.of(user.id, guild_id):
                async with self._ledger.open_press(interaction):
                    if await defer(interaction, private=True) is not None:
                        lesson = await self._teacher.teach(user, guild_id, label, pictures)
                        await say(interaction, lesson_words(label, lesson, language, self._limits))
                return
            await say(interaction, language.gettext(STOPPED))

    @teach.autocomplete("label")
    async def _labels(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        names = await self._store.teaching.names(guild_id_of(interaction))
        return matching_choices({name: name for name in names.values()}, typed)

    async def cog_app_command_error(
        self, interaction: Interaction, error: app_commands.AppCommandError
    ) -> None:
        """Say one sentence to whoever asked."""
        await explain(interaction, error, await language_of(self._store, interaction), LESSON_SENTENCES)
