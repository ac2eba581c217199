"""`/stats`: what a server's pictures were, day by day, for its moderators."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.answering.ledger import Ledger
from bot.delivery.interaction_responses import defer, say
from bot.i18n import N_
from bot.policy.effective_settings import language_of
from bot.presentation.errors import LEAVING
from bot.presentation.statistics import SWITCH, StatisticsWords
from bot.presses.errors import Sentences, explain
from bot.settings_ui.guild_panel_presses import may_manage
from bot.settings_ui.setting_faults import MANAGERS_ONLY
from bot.settings_ui.setting_values import guild_id_of
from bot.store import Store, StoreError
from bot.work_in_hand import WorkInHand
from inference.charts.client import ChartFailed, ChartPainter

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]

DAYS = 30
OFF = N_("Daily counts are off in this server, so there is nothing to show. To turn them on: {command}")
NOT_DRAWN = N_("The chart could not be drawn this time. Here is what it would show:")
SENTENCES: Sentences = {
    app_commands.CheckFailure: MANAGERS_ONLY,
    StoreError: N_("I can't reach my database right now. Try again in a minute."),
}


class StatisticsCog(commands.Cog):
    """Shows the daily sums to those who may manage the server; checked at each command."""

    def __init__(self, *, store: Store, painter: ChartPainter, ledger: Ledger, work: WorkInHand) -> None:
        self._store = store
        self._painter = painter
        self._ledger = ledger
        self._work = work

    @app_commands.command(
        name=locale_str("stats"),
        description=locale_str("A chart of the pictures I saw here in the last month"),
    )
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def stats(self, interaction: Interaction) -> None:
        """Draw the chart, for the asker's eyes only."""
        language = await language_of(self._store, interaction)
        if self._work.stopping:
            await say(interaction, language.gettext(LEAVING))
            return
        guild_id = guild_id_of(interaction)
        if (await self._store.guilds.get(guild_id)).statistics == "off":
            await say(interaction, language.gettext(OFF).format(command=SWITCH))
            return
        with self._work.hold():
            async with self._ledger.open_press(interaction):
                if await defer(interaction, private=True) is not None:
                    sums = await self._store.sums.of(guild_id, DAYS)
                    opinions = await self._store.feedback.summary(guild_id, since=sums.since)
                    words = StatisticsWords(language, sums, opinions.total)
                    await self._show(interaction, words)

    async def _show(self, interaction: Interaction, words: StatisticsWords) -> None:
        text = words.text()
        files = []
        if words.sums.total or words.opinions.all:
            try:
                png = await self._painter.draw(words.sheet())
            except ChartFailed as failure:
                log.warning("The chart of the server %s was not drawn. %s", interaction.guild_id, failure)
                text = f"{words.language.gettext(NOT_DRAWN)}\n{text}"
            else:
                files = [discord.File(BytesIO(png), "statistics.png", description=words.description())]
        await interaction.edit_original_response(content=text, attachments=files)

    def interaction_check(self, interaction: Interaction, /) -> bool:
        """Check each command, also where a server does not keep to the permissions that commands declare."""
        return may_manage(interaction)

    async def cog_app_command_error(
        self, interaction: Interaction, error: app_commands.AppCommandError
    ) -> None:
        """Say one sentence to whoever asked."""
        await explain(interaction, error, await language_of(self._store, interaction), SENTENCES)
