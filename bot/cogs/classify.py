"""Commands that ask about images: `/classify`, and "What's in this picture?" in a message's menu."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.answering.answerer import Answerer
from bot.delivery.interaction_responses import say
from bot.image_source import ImageSource
from bot.intake.interaction_requests import new_request
from bot.intake.message_images import images_of, source_of
from bot.policy.effective_settings import Effective, in_force_for, language_of
from bot.policy.opt_out import is_left_alone
from bot.presentation.errors import LEAVING, UNEXPECTED
from bot.presentation.help_texts import MENU, left_alone_sentence
from bot.store import Store, StoreError
from bot.work_in_hand import WorkInHand
from config.settings import Settings

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]

everywhere = app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
for_all = app_commands.allowed_installs(guilds=True, users=True)


class ClassifyCog(commands.Cog):
    """Answers `/classify`, and the command in the menu of a message."""

    def __init__(
        self,
        *,
        tree: app_commands.CommandTree[Any],
        settings: Settings,
        store: Store,
        answerer: Answerer,
        work: WorkInHand,
    ) -> None:
        self._tree = tree
        self._settings = settings
        self._store = store
        self._answerer = answerer
        self._work = work
        self.menu = app_commands.ContextMenu(name=locale_str(MENU), callback=self.whats_in_this_image)
        self.menu.error(self.cog_app_command_error)

    async def cog_load(self) -> None:
        """Add the command of the message menu, which a cog cannot declare."""
        self._tree.add_command(self.menu)

    async def cog_unload(self) -> None:
        """Take the command of the message menu away."""
        self._tree.remove_command(self.menu.name, type=self.menu.type)

    @app_commands.command(name=locale_str("classify"), description=locale_str("Say what is in a picture"))
    @app_commands.describe(
        picture=locale_str("The picture"),
        picture2=locale_str("One more"),
        picture3=locale_str("One more"),
        picture4=locale_str("One more"),
        picture5=locale_str("One more"),
        top=locale_str("How many guesses to show for each picture"),
        private=locale_str("Only you see the answer (otherwise everyone here does)"),
        dm=locale_str("Get the answer as a direct message"),
    )
    @everywhere
    @for_all
    async def classify(  # noqa: PLR0917 - discord.py reads the options from it
        self,
        interaction: Interaction,
        picture: discord.Attachment,
        picture2: discord.Attachment | None = None,
        picture3: discord.Attachment | None = None,
        picture4: discord.Attachment | None = None,
        picture5: discord.Attachment | None = None,
        top: app_commands.Range[int, 1, 10] | None = None,
        private: bool | None = None,
        dm: bool | None = None,
    ) -> None:
        """Name up to five images: for everyone here, for the asker only, or in a direct message.

        The images are looked at also for somebody who wants their images left alone: what is handed to a
        command is no message of theirs, and the command is their consent.
        """
        given = [source_of(file) for file in (picture, picture2, picture3, picture4, picture5) if file]
        if (wishes := await self._in_force(interaction)) is None:
            return
        # What is said with the command goes before what is always preferred.
        dm = (wishes.direct and private is None) if dm is None else dm
        private = (wishes.private and not dm) if private is None else private
        # In the bot's own direct message the answer is one already.
        dm = dm and not interaction.context.dm_channel
        await self._answer(interaction, given, wishes, top=top, private=private or dm, by_dm=dm)

    @everywhere
    @for_all
    async def whats_in_this_image(self, interaction: Interaction, message: discord.Message) -> None:
        """Name the images of a message, for the asker only."""
        if (wishes := await self._in_force(interaction, message.author.id)) is None:
            return
        images = images_of(message, self._settings.watch)
        dm = wishes.direct and not interaction.context.dm_channel
        await self._answer(interaction, images, wishes, private=True, by_dm=dm)

    async def _in_force(self, interaction: Interaction, author_id: int | None = None) -> Effective | None:
        """Return what is in force for the asker; None if they have been told that no image is looked at.

        `author_id` posted the images, where these are a message's.
        """
        language = await language_of(self._store, interaction)
        try:
            if author_id is not None and is_left_alone(await self._store.members.get(author_id)):
                await say(interaction, left_alone_sentence(author_id, interaction.user.id, language))
                return None
            return await in_force_for(
                self._store,
                interaction.user.id,
                interaction.guild_id,
                user_locale=interaction.locale,
                guild_locale=interaction.guild_locale,
            )
        except StoreError as error:
            log.warning(
                "The interaction %d is not answered: whether somebody wants to be left alone could not be "
                "read. %s",
                interaction.id,
                error,
            )
            await say(interaction, language.gettext(UNEXPECTED))
            return None

    async def _answer(
        self,
        interaction: Interaction,
        images: Sequence[ImageSource],
        wishes: Effective,
        *,
        private: bool,
        by_dm: bool,
        top: int | None = None,
    ) -> None:
        shown = images[: self._settings.limits.images_per_answer]
        if not shown:
            await say(interaction, wishes.own_language.gettext("I don't see a picture in that message."))
            return
        if self._work.stopping:
            await say(interaction, wishes.own_language.gettext(LEAVING))
            return
        with self._work.hold():
            request = new_request(
                interaction, shown, len(images), wishes, private=private, by_dm=by_dm, top=top
            )
            await self._answerer.answer(request)

    async def cog_app_command_error(
        self, interaction: Interaction, error: app_commands.AppCommandError
    ) -> None:
        """Log an error that is not foreseen, and tell the asker, who would wait otherwise."""
        name = interaction.command.qualified_name if interaction.command else "?"
        log.error(
            "The command %s (interaction %d) failed unexpectedly; please report this",
            name,
            interaction.id,
            exc_info=error,
        )
        language = await language_of(self._store, interaction)
        await say(interaction, language.gettext(UNEXPECTED))
