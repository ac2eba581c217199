"""The pages of pictures that were found, and the buttons that turn them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import discord
from discord import app_commands, ui

from bot.answering.image_indexing import jump_url
from bot.components import controls
from bot.i18n import N_, Language
from bot.presentation.found_pictures import NOTHING_SIMILAR, SIMILAR, called_heading, found_lines
from bot.presses.errors import PressOutdated, Sentences
from bot.presses.picture_finding import PAGE, FoundPage, PictureFinding
from bot.presses.press import Press, PressHandler
from bot.store import StoreError
from inference.knowledge.results import KnowledgeFailed

PANEL = "find"
SENTENCES: Sentences = {
    app_commands.CheckFailure: N_("Only members of this server can find its pictures."),
    StoreError: N_("I can't reach my database right now. Try again in a minute."),
    KnowledgeFailed: N_("I can't compare pictures right now. Try again in a minute."),
}


class FoundPages(PressHandler):
    """Shows pages for the asker's eyes only, each made anew from what the asker may see at that moment."""

    panel: ClassVar[str] = PANEL
    sentences: ClassVar[Sentences] = SENTENCES

    def __init__(self, finding: PictureFinding) -> None:
        self._finding = finding

    async def called(
        self, interaction: discord.Interaction[Any], name: str, page: int, language: Language
    ) -> None:
        """Show a page of pictures of one English name, where the response waits."""
        found = await self._finding.called(interaction, name, page, language)
        word = await self._finding.word_of(interaction.guild_id or 0, name, language)
        heading = called_heading(word, found.total, language)
        await _show(interaction, heading, found, _turns("called", name, found, language))

    async def similar(
        self, interaction: discord.Interaction[Any], number: int, page: int, language: Language
    ) -> None:
        """Show a page of pictures like those of a question, where the response waits."""
        found = await self._finding.similar(interaction, number, page, language)
        heading = language.gettext(SIMILAR if found.total else NOTHING_SIMILAR)
        await _show(interaction, heading, found, _turns("similar", str(number), found, language))

    def check(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:
        """Let everybody turn pages: the message is for one person's eyes, and each page is checked."""

    async def act(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:
        """Turn the page."""
        number, _, what = press.what.partition(":")
        if not number.isdecimal() or press.verb not in ("called", "similar"):
            raise PressOutdated
        await interaction.response.defer()
        if press.verb == "called":
            await self.called(interaction, what, int(number), language)
        else:
            await self.similar(interaction, int(what), int(number), language)


async def _show(
    interaction: discord.Interaction[Any], heading: str, found: FoundPage, turns: Sequence[ui.Button[Any]]
) -> None:
    links = [(jump_url(image), image.message_id) for image in found.images]
    await interaction.edit_original_response(
        content=found_lines(heading, links, found.page * PAGE + 1),
        view=controls.view(*turns) if turns else None,
    )


def _turns(verb: str, what: str, found: FoundPage, language: Language) -> list[ui.Button[Any]]:
    """Return the buttons that lead to the pages before and after this one."""
    pages = {}
    if found.page:
        pages[found.page - 1] = language.gettext("Previous")
    if found.has_next:
        pages[found.page + 1] = language.gettext("Next")
    return [
        controls.button(controls.custom_id(PANEL, verb, f"{page}:{what}"), label)
        for page, label in pages.items()
    ]
