"""`/labels`: what a server taught, to see, to put right, and to take along."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Range, locale_str
from discord.ext import commands

from bot.answering.ledger import Ledger
from bot.components.controls import matching_choices
from bot.delivery.interaction_responses import defer, say
from bot.discord_limits import FILE_BYTES
from bot.download.downloader import DownloadError, Fetcher
from bot.i18n import N_, Language
from bot.policy.effective_settings import language_of
from bot.policy.teachers import may_teach
from bot.presentation.errors import LEAVING
from bot.presentation.label_list import UNDO, LabelList, example_link
from bot.presentation.plain_text import neutral
from bot.presentation.teaching_test import TeachingTestWords
from bot.presentation.teaching_words import label_words, named_none, not_a_teacher, undone
from bot.presses.errors import InteractionRefused, Sentences, explain
from bot.settings_ui.label_panel import label_panel
from bot.settings_ui.setting_values import guild_id_of
from bot.store import Store
from bot.store.taught_results import LABEL_NAME, NoSuchLabel
from bot.teaching.label_file import FILE_NAME, TaughtLabels, read_file, write_files
from bot.teaching.lesson_words import LESSON_SENTENCES
from bot.teaching.teacher import ModelCannotBeTaught, Teacher, label_name
from bot.work_in_hand import WorkInHand
from config.model_titles import title_of
from inference.charts.client import ChartFailed, ChartPainter
from inference.knowledge.client import Knowledge
from inference.knowledge.results import KnowledgeFailed, TeachingReport
from inference.results import ModelInfo

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]

NOTHING_TAUGHT = N_(
    "I was taught nothing here yet, or by another model than the one I use now: `/labels show`."
)
SENTENCES: Sentences = {
    **LESSON_SENTENCES,
    DownloadError: N_("I couldn't fetch that file. Try again in a minute."),
    KnowledgeFailed: N_("I couldn't test that right now. Try again in a minute."),
}


@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
class LabelsCog(
    commands.GroupCog,
    group_name=locale_str("labels"),
    group_description=locale_str("The words that I was taught here"),
):
    """Only for those who may teach; checked at each command."""

    def __init__(
        self,
        *,
        store: Store,
        teacher: Teacher,
        knowledge: Knowledge,
        painter: ChartPainter,
        fetcher: Fetcher,
        ledger: Ledger,
        work: WorkInHand,
    ) -> None:
        super().__init__()
        self._store = store
        self._teaching = store.teaching
        self._teacher = teacher
        self._knowledge = knowledge
        self._painter = painter
        self._fetcher = fetcher
        self._ledger = ledger
        self._work = work

    @app_commands.command(
        name=locale_str("show"), description=locale_str("List the words, and how many examples each has")
    )
    async def show(self, interaction: Interaction) -> None:
        """Show all labels, with bars."""
        guild_id, language = await self._asked(interaction)
        kind = (await self._teacher.model(guild_id)).fingerprints
        labels = LabelList(language, await self._teaching.counts(guild_id), kind)
        embed = discord.Embed(title=labels.heading(), description=labels.text())
        await interaction.response.send_message(embed=embed, ephemeral=True)

    @app_commands.command(
        name=locale_str("examples"), description=locale_str("See the examples of a word, and take some out")
    )
    @app_commands.describe(label=locale_str("The word"))
    async def examples(self, interaction: Interaction, label: Range[str, 1, 100]) -> None:
        """Show the examples of one label, or of "none of these"."""
        guild_id, language = await self._asked(interaction)
        number = None if named_none(label, language) else await self._label(guild_id, label)
        panel = await label_panel(self._store, self._teacher, guild_id, number, language)
        await interaction.response.send_message(view=panel.page(), ephemeral=True)

    @app_commands.command(name=locale_str("rename"), description=locale_str("Give a word another name"))
    @app_commands.describe(label=locale_str("The word"), name=locale_str("What it is to be called"))
    async def rename(
        self, interaction: Interaction, label: Range[str, 1, 100], name: Range[str, 1, LABEL_NAME]
    ) -> None:
        """Rename a label."""
        guild_id, language = await self._asked(interaction)
        number, new = await self._label(guild_id, label), label_name(name)
        old = (await self._teaching.names(guild_id))[number]
        await self._teaching.rename(guild_id, number, new)
        sentence = language.gettext(N_("{label} is called {name} now."))
        line = sentence.format(label=label_words(old, language), name=label_words(new, language))
        await self._done(interaction, line, language)

    @app_commands.command(
        name=locale_str("merge"), description=locale_str("Give the examples of one word to another")
    )
    @app_commands.describe(
        label=locale_str("The word that goes"), into=locale_str("The word that gets its examples")
    )
    async def merge(
        self, interaction: Interaction, label: Range[str, 1, 100], into: Range[str, 1, 100]
    ) -> None:
        """Make two labels one."""
        guild_id, language = await self._asked(interaction)
        number, target = await self._label(guild_id, label), await self._label(guild_id, into)
        names = await self._teaching.names(guild_id)
        if number == target:
            raise InteractionRefused(language.gettext(N_("That is the same word twice.")))
        await self._teaching.merge(guild_id, number, target)
        sentence = language.gettext(N_("The examples of {label} are now of {into}."))
        line = sentence.format(
            label=label_words(names[number], language), into=label_words(names[target], language)
        )
        await self._done(interaction, line, language)

    @app_commands.command(
        name=locale_str("remove"), description=locale_str("Remove a word with all of its examples")
    )
    @app_commands.describe(label=locale_str("The word"))
    async def remove(self, interaction: Interaction, label: Range[str, 1, 100]) -> None:
        """Remove a label."""
        guild_id, language = await self._asked(interaction)
        number = await self._label(guild_id, label)
        name = (await self._teaching.names(guild_id))[number]
        await self._teaching.remove_label(guild_id, number)
        line = language.gettext(N_("{label} is removed.")).format(label=label_words(name, language))
        await self._done(interaction, line, language)

    @app_commands.command(
        name=locale_str("undo"), description=locale_str("Take the last change back; again for the one before")
    )
    async def undo(self, interaction: Interaction) -> None:
        """Undo the last change."""
        guild_id, language = await self._asked(interaction)
        last = await self._teaching.undo(guild_id)
        await interaction.response.send_message(undone(last, language), ephemeral=True)

    @app_commands.command(
        name=locale_str("test"),
        description=locale_str("See how well I know the words, and what to teach next"),
    )
    async def test(self, interaction: Interaction) -> None:
        """Name each example by all others, and show what came of it."""
        guild_id, language = await self._asked(interaction)
        info = await self._model(guild_id)
        async with self._deferred(interaction) as waits:
            if not waits:
                return
            report = await self._knowledge.test(guild_id, info.fingerprints or "")
            if report is None:
                raise InteractionRefused(language.gettext(NOTHING_TAUGHT))
            await self._show_test(interaction, guild_id, info, report, language)

    @app_commands.command(
        name=locale_str("export"),
        description=locale_str("Get what I was taught as a file, without any picture"),
    )
    async def export(self, interaction: Interaction) -> None:
        """Give the fingerprints of the present model as a file, or as several where they are many."""
        guild_id, language = await self._asked(interaction)
        info = await self._model(guild_id)
        async with self._deferred(interaction) as waits:
            if not waits:
                return
            taught = await self._taught(guild_id, info)
            if not taught.count:
                raise InteractionRefused(language.gettext(NOTHING_TAUGHT))
            files = await asyncio.to_thread(write_files, taught, info)
            line = language.ngettext(
                "Here is what I was taught: {count} example, for {model}. Nobody is named in it, and "
                "`/privacy delete` does not reach it.",
                "Here is what I was taught: {count} examples, for {model}. Nobody is named in it, and "
                "`/privacy delete` does not reach it.",
                taught.count,
            ).format(count=language.number(taught.count), model=neutral(title_of(info.name), 60))
            first, *more = [discord.File(BytesIO(data), FILE_NAME) for data in files]
            await interaction.edit_original_response(content=line, attachments=[first])
            for file in more:
                await interaction.followup.send(file=file, ephemeral=True)

    @app_commands.command(
        name=locale_str("import"), description=locale_str("Learn what this or another server exported")
    )
    @app_commands.describe(file=locale_str("A file from /labels export"))
    async def import_(self, interaction: Interaction, file: discord.Attachment) -> None:
        """Add the examples of a file to what was taught here."""
        guild_id, language = await self._asked(interaction)
        info = await self._model(guild_id)
        if file.size > FILE_BYTES:
            raise InteractionRefused(
                language.gettext(N_("That file is too large. Use one from /labels export."))
            )
        async with self._deferred(interaction) as waits:
            if not waits:
                return
            data = await self._fetcher.fetch(file.url, size=file.size, document=True)
            taught = await asyncio.to_thread(read_file, data, info)
            added = await self._teaching.load(guild_id, info.fingerprints or "", taught.labels, taught.none)
            sentence = language.ngettext(
                "I learned {count} example from the file.", "I learned {count} examples from the file.", added
            )
            await say(
                interaction,
                language.text(sentence.format(count=language.number(added)), language.gettext(UNDO)),
            )

    @examples.autocomplete("label")
    @rename.autocomplete("label")
    @merge.autocomplete("label")
    @merge.autocomplete("into")
    @remove.autocomplete("label")
    async def _offered(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        names = await self._teaching.names(guild_id_of(interaction))
        return matching_choices({name: name for name in names.values()}, typed)

    async def _asked(self, interaction: Interaction) -> tuple[int, Language]:
        """Return the server's id and the asker's language. Raises `InteractionRefused` if they may not."""
        language, guild_id = await language_of(self._store, interaction), guild_id_of(interaction)
        if self._work.stopping:
            raise InteractionRefused(language.gettext(LEAVING))
        settings = await self._store.guilds.get(guild_id)
        if not await may_teach(interaction, settings):
            raise InteractionRefused(not_a_teacher(settings, language))
        return guild_id, language

    async def _label(self, guild_id: int, name: str) -> int:
        if (label := await self._teaching.find(guild_id, label_name(name))) is None:
            raise NoSuchLabel(name)
        return label

    async def _model(self, guild_id: int) -> ModelInfo:
        if (info := await self._teacher.model(guild_id)).fingerprints is None:
            raise ModelCannotBeTaught(info.name)
        return info

    async def _taught(self, guild_id: int, info: ModelInfo) -> TaughtLabels:
        names = await self._teaching.names(guild_id)
        labels, none = dict[str, list[bytes]](), list[bytes]()
        for row in await self._teaching.examples(guild_id, info.fingerprints or ""):
            if row.label is None:
                none.append(row.fingerprint)
            elif row.label in names:
                labels.setdefault(names[row.label], []).append(row.fingerprint)
        return TaughtLabels(labels, none)

    async def _done(self, interaction: Interaction, line: str, language: Language) -> None:
        text = language.text(line, language.gettext(UNDO))
        await interaction.response.send_message(text, ephemeral=True)

    @asynccontextmanager
    async def _deferred(self, interaction: Interaction) -> AsyncIterator[bool]:
        """Defer the response, and keep the bot from leaving meanwhile; false where nobody waits any more."""
        with self._work.hold():
            async with self._ledger.open_press(interaction):
                yield await defer(interaction, private=True) is not None

    async def _show_test(
        self,
        interaction: Interaction,
        guild_id: int,
        info: ModelInfo,
        report: TeachingReport,
        language: Language,
    ) -> None:
        rows = await self._teaching.examples(guild_id, info.fingerprints or "")
        links = {row.example: link for row in rows if (link := example_link(guild_id, row))}
        words = TeachingTestWords(language, report, await self._teaching.names(guild_id), links)
        files = []
        if sheet := words.sheet():
            try:
                png = await self._painter.draw(sheet)
            except ChartFailed as failure:
                log.warning("The chart of the server %s was not drawn. %s", guild_id, failure)
            else:
                files = [discord.File(BytesIO(png), "labels.png", description=words.description())]
        await interaction.edit_original_response(content=words.text(), attachments=files)

    async def cog_app_command_error(
        self, interaction: Interaction, error: app_commands.AppCommandError
    ) -> None:
        """Say one sentence to whoever asked."""
        await explain(interaction, error, await language_of(self._store, interaction), SENTENCES)
