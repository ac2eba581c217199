"""What happens to an image that a command asks about: `/classify`, or a message's "What's in this image?"."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot import buttons, delivery
from bot.answers import Writer
from bot.asked import Asked
from bot.effective import guild_settings
from bot.errors import LEAVING, UNEXPECTED
from bot.i18n import Language, languages
from bot.media import Source, images_of, source_of
from bot.pipeline import look_at

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
        self.menu = app_commands.ContextMenu(
            name=locale_str("What's in this image?"), callback=self.whats_in_this_image
        )
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
        private: bool = False,
        dm: bool = False,
    ) -> None:
        """Name up to five images: for everyone here, for the asker only, or in a direct message."""
        given = [source_of(file) for file in (image, image2, image3, image4, image5) if file]
        # In the bot's own direct message the answer is one already.
        dm = dm and not interaction.context.dm_channel
        await self._answer(interaction, given, top=top, private=private or dm, dm=dm)

    @everywhere
    @for_all
    async def whats_in_this_image(self, interaction: Interaction, message: discord.Message) -> None:
        """Name the images of a message, for the asker only."""
        await self._answer(interaction, images_of(message, self.settings.watch), private=True)

    async def _answer(
        self,
        interaction: Interaction,
        images: Sequence[Source],
        *,
        private: bool,
        dm: bool = False,
        top: int | None = None,
    ) -> None:
        shown = images[: self.settings.limits.images_per_answer]
        own = languages.of(interaction.locale)
        if not shown:
            await delivery.say(interaction, own.gettext("I see no picture in that message."))
            return
        if self.bot.stopping:
            await delivery.say(interaction, own.gettext(LEAVING))
            return
        with self.bot.in_hand():
            grant = self.bot.quota.take(interaction.user.id, len(shown))
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
        language = self._language(interaction, private=asked.private)
        outcomes = await look_at(
            self.bot,
            asked.images,
            group=interaction.guild_id or interaction.user.id,
        )
        guild = await guild_settings(self.bot.store, interaction.guild_id)
        writer = Writer(self.settings, language, top=asked.top, apart=True, guild=guild)
        answer = writer.write(outcomes, writer.left_out(asked.found), asked.grant.line(language))
        if asked.dm:
            done = await delivery.directly(interaction, answer, language)
        else:
            view = None
            if not asked.private and not interaction.context.dm_channel:
                people = buttons.People(interaction.user.id, interaction.user.id)
                models = buttons.models(self.bot)
                view = buttons.under(outcomes, people, language, guild=guild, models=models)
            done = await delivery.respond(interaction, answer, view)
        if not done:
            self.bot.ledger.leave_open(interaction.id)

    def _language(self, interaction: Interaction, *, private: bool) -> Language:
        """The asker's, but the server's where everyone reads along."""
        return languages.of(interaction.locale if private else interaction.guild_locale or interaction.locale)

    async def cog_app_command_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError
    ) -> None:
        """A command failed for a reason nobody foresaw: logged whole, and the asker is not left waiting."""
        log.error("A command failed, and nobody knows why", exc_info=error)
        await delivery.say(interaction, languages.of(interaction.locale).gettext(UNEXPECTED))
