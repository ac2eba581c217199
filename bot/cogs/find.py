"""Commands that find pictures again: `/find`, `/similar`, and "Find similar" in a message's menu."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice, Range, locale_str
from discord.ext import commands

from bot.answering.ledger import Ledger
from bot.components.controls import matching_choices
from bot.delivery.interaction_responses import defer, say
from bot.i18n import N_, Language
from bot.intake.message_images import source_of
from bot.policy.effective_settings import language_of
from bot.policy.opt_out import is_left_alone
from bot.presentation.errors import LEAVING
from bot.presentation.help_texts import left_alone_sentence
from bot.presses.errors import InteractionRefused, explain
from bot.presses.found_pages import SENTENCES, FoundPages
from bot.presses.picture_finding import PictureFinding
from bot.store import Store
from bot.work_in_hand import WorkInHand

Interaction = discord.Interaction[Any]

MENU = N_("Find similar")

in_servers = app_commands.allowed_installs(guilds=True, users=False)


class FindCog(commands.Cog):
    """Shows only what the asker may read, and only to the asker."""

    def __init__(
        self,
        *,
        tree: app_commands.CommandTree[Any],
        store: Store,
        finding: PictureFinding,
        pages: FoundPages,
        ledger: Ledger,
        work: WorkInHand,
    ) -> None:
        self._tree = tree
        self._store = store
        self._finding = finding
        self._pages = pages
        self._ledger = ledger
        self._work = work
        self.menu = app_commands.ContextMenu(name=locale_str(MENU), callback=self.find_similar)
        self.menu.error(self.cog_app_command_error)

    async def cog_load(self) -> None:
        """Add the command of the message menu, which a cog cannot declare."""
        self._tree.add_command(self.menu)

    async def cog_unload(self) -> None:
        """Take the command of the message menu away."""
        self._tree.remove_command(self.menu.name, type=self.menu.type)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Look again whether messages are still there: a new session does not tell what was deleted."""
        self._finding.session_began()

    @app_commands.command(
        name=locale_str("find"), description=locale_str("Find pictures in this server by what is in them")
    )
    @app_commands.describe(text=locale_str("What is in the picture"))
    @app_commands.guild_only()
    @in_servers
    async def find(self, interaction: Interaction, text: Range[str, 1, 100]) -> None:
        """Show the newest pictures of that name."""
        language = await language_of(self._store, interaction)
        async with self._deferred(interaction, language) as going:
            if going:
                name = await self._finding.name_meant(interaction, text, language)
                await self._pages.called(interaction, name, 0, language)

    @find.autocomplete("text")
    async def _names(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        language = await language_of(self._store, interaction)
        try:
            return matching_choices(await self._finding.names(interaction, language), typed)
        except InteractionRefused:  # the command itself says why
            return []

    @app_commands.command(
        name=locale_str("similar"), description=locale_str("Find pictures in this server that look like one")
    )
    @app_commands.describe(image=locale_str("The picture"))
    @app_commands.guild_only()
    @in_servers
    async def similar(self, interaction: Interaction, image: discord.Attachment) -> None:
        """Show the pictures that look most like one that is handed over."""
        language = await language_of(self._store, interaction)
        async with self._deferred(interaction, language) as going:
            if going:
                await self._finding.readable(interaction, language)
                number = await self._finding.ask_about(interaction, [source_of(image)], language)
                await self._pages.similar(interaction, number, 0, language)

    @app_commands.guild_only()
    @in_servers
    async def find_similar(self, interaction: Interaction, message: discord.Message) -> None:
        """Show the pictures that look most like those of a message."""
        language = await language_of(self._store, interaction)
        if is_left_alone(await self._store.members.get(message.author.id)):
            await say(interaction, left_alone_sentence(message.author.id, interaction.user.id, language))
            return
        async with self._deferred(interaction, language) as going:
            if going:
                await self._finding.readable(interaction, language)
                number = await self._finding.ask_about_message(interaction, message, language)
                await self._pages.similar(interaction, number, 0, language)

    @asynccontextmanager
    async def _deferred(self, interaction: Interaction, language: Language) -> AsyncIterator[bool]:
        """Defer the response, for the asker alone; yields False where nobody waits, or the bot leaves."""
        if self._work.stopping:
            await say(interaction, language.gettext(LEAVING))
            yield False
            return
        with self._work.hold():
            async with self._ledger.open_press(interaction):
                yield await defer(interaction, private=True) is not None

    async def cog_app_command_error(
        self, interaction: Interaction, error: app_commands.AppCommandError
    ) -> None:
        """Say one sentence to whoever asked."""
        await explain(interaction, error, await language_of(self._store, interaction), SENTENCES)
