"""What happens to an image that a command asks about: `/classify`, or a message's "What's in this image?"."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot import buttons
from bot.answering.classifying import look_at
from bot.delivery import sending as delivery
from bot.intake.interaction_requests import Asked
from bot.intake.message_images import Source, images_of, source_of
from bot.policy.in_force import Effective, effective, language_of
from bot.policy.quota import Grant
from bot.presentation.answer import Writer
from bot.presentation.errors import LEAVING, UNEXPECTED
from bot.presentation.help_texts import MENU, left_alone
from bot.store import GuildSettings, StoreError

if TYPE_CHECKING:
    from bot.client import Whatsit

    Interaction = discord.Interaction[Whatsit]

__all__ = ["Classify"]

log = logging.getLogger(__name__)

everywhere = app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
for_all = app_commands.allowed_installs(guilds=True, users=True)


class Classify(commands.Cog):
    """Answers commands."""

    def __init__(self, bot: Whatsit) -> None:
        self.bot = bot
        self.settings = bot.settings
        self.menu = app_commands.ContextMenu(name=locale_str(MENU), callback=self.whats_in_this_image)
        self.menu.error(self.cog_app_command_error)

    async def cog_load(self) -> None:
        """A cog cannot declare a menu's command."""
        self.bot.tree.add_command(self.menu)

    async def cog_unload(self) -> None:
        """Takes the menu's command away."""
        self.bot.tree.remove_command(self.menu.name, type=self.menu.type)

    @app_commands.command(name=locale_str("classify"), description=locale_str("Say what is in a picture"))
    @app_commands.describe(
        image=locale_str("The picture"),
        image2=locale_str("One more"),
        image3=locale_str("One more"),
        image4=locale_str("One more"),
        image5=locale_str("One more"),
        top=locale_str("How many guesses to show for each picture"),
        private=locale_str("Only you see the answer (otherwise everyone here does)"),
        dm=locale_str("Get the answer as a direct message"),
    )
    @everywhere
    @for_all
    async def classify(  # noqa: PLR0917 - discord.py reads the options from it
        self,
        interaction: Interaction,
        image: discord.Attachment,
        image2: discord.Attachment | None = None,
        image3: discord.Attachment | None = None,
        image4: discord.Attachment | None = None,
        image5: discord.Attachment | None = None,
        top: app_commands.Range[int, 1, 10] | None = None,
        private: bool | None = None,
        dm: bool | None = None,
    ) -> None:
        """Name up to five images: for everyone here, for the asker only, or in a direct message.

        These images are no message of the asker's, and the command is their consent: they are looked at also
        for somebody who wishes that their images are left alone.
        """
        given = [source_of(file) for file in (image, image2, image3, image4, image5) if file]
        if (wants := await self._wants(interaction)) is None:
            return
        # What is said with the command goes before what is always preferred.
        dm = (wants.direct and private is None) if dm is None else dm
        private = (wants.private and not dm) if private is None else private
        # In the bot's own direct message the answer is one already.
        dm = dm and not interaction.context.dm_channel
        await self._answer(interaction, given, wants, top=top, private=private or dm, dm=dm)

    @everywhere
    @for_all
    async def whats_in_this_image(self, interaction: Interaction, message: discord.Message) -> None:
        """Name the images of a message, for the asker only."""
        if (wants := await self._wants(interaction, message.author.id)) is None:
            return
        images = images_of(message, self.settings.watch)
        dm = wants.direct and not interaction.context.dm_channel
        await self._answer(interaction, images, wants, private=True, dm=dm)

    async def _wants(self, interaction: Interaction, author_id: int | None = None) -> Effective | None:
        """What holds for the asker; None if they have been told that this author is to be left alone."""
        language = await language_of(self.bot.store, interaction)
        try:
            if author_id is not None and (await self.bot.store.members.get(author_id)).leave_alone:
                await delivery.say(interaction, left_alone(author_id, interaction.user.id, language))
                return None
            return await self._effective(interaction)
        except StoreError as error:
            log.warning("Nobody knows who wishes to be left alone, so nothing is looked at. %s", error)
            await delivery.say(interaction, language.gettext(UNEXPECTED))
            return None

    async def _effective(self, interaction: Interaction) -> Effective:
        return await effective(
            self.bot.store,
            interaction.user.id,
            interaction.guild_id,
            user_locale=interaction.locale,
            guild_locale=interaction.guild_locale,
        )

    async def _answer(
        self,
        interaction: Interaction,
        images: Sequence[Source],
        wants: Effective,
        *,
        private: bool,
        dm: bool = False,
        top: int | None = None,
    ) -> None:
        shown = images[: self.settings.limits.images_per_answer]
        own = wants.own_language
        if not shown:
            await delivery.say(interaction, own.gettext("I see no picture in that message."))
            return
        if self.bot.stopping:
            await delivery.say(interaction, own.gettext(LEAVING))
            return
        with self.bot.in_hand():
            grant = self._granted(interaction, len(shown), wants.guild)
            if not grant.images:
                await delivery.say(interaction, grant.line(own))
                return
            asked = Asked(shown[: grant.images], len(images), grant, top, private, dm)
            async with self.bot.ledger.interaction(
                interaction, asked.pictures(), asked.options(interaction)
            ) as accepting:
                deferred = await delivery.defer(interaction, ephemeral=private)
                if deferred is None:
                    return
                await accepting
                await self.bot.ledger.deferred(interaction.id, deferred.response_id)
                await self.answer(interaction, asked)

    async def answer(self, interaction: Interaction, asked: Asked) -> None:
        """Put the answer where its deferred response is waiting."""
        wants = await self._effective(interaction)
        guild, alone = wants.guild, asked.private or not interaction.guild_id
        language = wants.own_language if alone else wants.shared_language
        group = interaction.guild_id or interaction.user.id
        outcomes = await look_at(self.bot, asked.images, group=group, model=guild.model)
        writer = Writer(self.settings, language, top=asked.top, apart=True, guild=guild)
        answer = writer.write(outcomes, writer.left_out(asked.found), asked.grant.line(language))
        if asked.dm:
            done = await delivery.directly(interaction, answer, language)
        else:
            view = None
            if not asked.private and not interaction.context.dm_channel:
                people = buttons.People(interaction.user.id, interaction.user.id)
                models = buttons.models(self.bot)
                view = buttons.under(outcomes, people, language, guild=guild, models=models).view()
            done = await delivery.respond(interaction, answer, view)
        if not done:
            self.bot.ledger.leave_open(interaction.id)

    def _granted(self, interaction: Interaction, images: int, settings: GuildSettings) -> Grant:
        user = interaction.user
        roles = {role.id for role in user.roles} if isinstance(user, discord.Member) else set()
        if not roles.isdisjoint(settings.unlimited_roles):
            return Grant(images)
        return self.bot.quota.take(user.id, images, guild_id=interaction.guild_id, settings=settings)

    async def cog_app_command_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError
    ) -> None:
        """A command failed for a reason nobody foresaw: logged whole, and the asker is not left waiting."""
        log.error("A command failed, and nobody knows why", exc_info=error)
        language = await language_of(self.bot.store, interaction)
        await delivery.say(interaction, language.gettext(UNEXPECTED))
