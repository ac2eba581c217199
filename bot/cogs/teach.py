"""`/teach`: show Whatsit what a word of the server's own means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Range, locale_str
from discord.ext import commands

from bot.answering.answerer import STOPPED
from bot.answering.ledger import Ledger
from bot.components import controls
from bot.components.controls import matching_choices
from bot.delivery.interaction_responses import defer, say
from bot.i18n import N_
from bot.image_source import ImageSource
from bot.intake.message_images import source_of
from bot.policy.effective_settings import language_of
from bot.policy.opt_out import is_left_alone
from bot.policy.teachers import may_teach
from bot.presentation.errors import LEAVING
from bot.presentation.teaching_words import NONE_OF_THESE, named_none, not_a_teacher
from bot.presses.errors import InteractionRefused, explain
from bot.presses.teach_presses import PANEL
from bot.settings_ui.setting_values import guild_id_of
from bot.store import Store
from bot.store.taught_results import LABEL_NAME
from bot.teaching.lesson_words import LESSON_SENTENCES, lesson_words
from bot.teaching.teach_form import teach_form
from bot.teaching.teacher import ModelCannotBeTaught, PosterLeftAlone, ShownPicture, Teacher
from bot.work_in_hand import WorkInHand
from config.settings import Limits

Interaction = discord.Interaction[Any]


MENU = N_("Teach Whatsit…")


class TeachCog(commands.Cog):
    """Answers `/teach`, and the command in the menu of a message, for the teacher's eyes only."""

    def __init__(
        self,
        *,
        tree: app_commands.CommandTree[Any],
        store: Store,
        teacher: Teacher,
        ledger: Ledger,
        work: WorkInHand,
        images_of: Callable[[discord.Message], Sequence[ImageSource]],
        limits: Limits,
    ) -> None:
        """`images_of` finds the images of a message."""
        self._tree = tree
        self._images_of = images_of
        self.menu = app_commands.ContextMenu(
            name=locale_str(MENU),
            callback=self.teach_by_menu,
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True),
        )
        self.menu.error(self.cog_app_command_error)
        self._store = store
        self._teacher = teacher
        self._ledger = ledger
        self._work = work
        self._limits = limits

    async def cog_load(self) -> None:
        """Add the command of the message menu, which a cog cannot declare."""
        self._tree.add_command(self.menu)

    async def cog_unload(self) -> None:
        """Take the command of the message menu away."""
        self._tree.remove_command(self.menu.name, type=self.menu.type)

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
        name = None if named_none(label, language) else label
        pictures = [ShownPicture(source_of(file), user.id) for file in files]
        with self._work.hold():
            with self._work.of(user.id, guild_id):
                async with self._ledger.open_press(interaction):
                    if await defer(interaction, private=True) is not None:
                        lesson = await self._teacher.teach(user, guild_id, name, pictures)
                        await say(interaction, lesson_words(name, lesson, language, self._limits))
                return
            await say(interaction, language.gettext(STOPPED))

    @teach.autocomplete("label")
    async def _labels(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        names = await self._store.teaching.names(guild_id_of(interaction))
        none = (await language_of(self._store, interaction)).gettext(NONE_OF_THESE)
        return matching_choices({name: name for name in (*names.values(), *([none] if names else []))}, typed)

    async def teach_by_menu(self, interaction: Interaction, message: discord.Message) -> None:
        """Ask what the pictures of a message show; the form's own handler teaches them."""
        language = await language_of(self._store, interaction)
        guild_id = guild_id_of(interaction)
        if self._work.stopping:
            raise InteractionRefused(language.gettext(LEAVING))
        settings = await self._store.guilds.get(guild_id)
        if not await may_teach(interaction, settings):
            raise InteractionRefused(not_a_teacher(settings, language))
        if not self._images_of(message):
            raise InteractionRefused(language.gettext("I don't see a picture in that message."))
        if is_left_alone(await self._store.members.get(message.author.id)):
            raise PosterLeftAlone(own=message.author.id == interaction.user.id)
        if (info := await self._teacher.model(guild_id)).fingerprints is None:
            raise ModelCannotBeTaught(info.name)
        form = controls.custom_id(PANEL, "form", str(message.id))
        names = await self._store.teaching.names(guild_id)
        await interaction.response.send_modal(teach_form(form, names, language))

    async def cog_app_command_error(
        self, interaction: Interaction, error: app_commands.AppCommandError
    ) -> None:
        """Say one sentence to whoever asked."""
        await explain(interaction, error, await language_of(self._store, interaction), LESSON_SENTENCES)
