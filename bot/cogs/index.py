"""`/index backfill`: read a channel's past into the index, for those who may manage the server."""

from __future__ import annotations

import logging
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import AppCommandChannel, AppCommandThread, locale_str
from discord.ext import commands

from bot.i18n import N_
from bot.intake.channel_past import PastChannel
from bot.policy.effective_settings import in_force_for, language_of
from bot.presses.errors import InteractionRefused, explain
from bot.settings_ui.guild_panel_presses import may_manage
from bot.settings_ui.index_backfill import BACKFILL_SENTENCES, IndexBackfill
from bot.store import Store, StoreError

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]

NO_HISTORY = N_("{channel} has no messages of its own. Choose a text channel, or one of its threads.")


class ChannelOrThread(app_commands.Transformer):
    """A channel or a thread of the server, with no types stated: Discord refuses an option with every one."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.channel

    async def transform(
        self,
        interaction: Interaction,  # noqa: ARG002
        value: Any,
        /,
    ) -> AppCommandChannel | AppCommandThread:
        """Return it as it came."""
        chosen: AppCommandChannel | AppCommandThread = value
        return chosen


@app_commands.default_permissions(manage_guild=True)
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
class IndexCog(
    commands.GroupCog,
    group_name=locale_str("index"),
    group_description=locale_str("Pictures that can be found again"),
):
    """Goes on after a restart with what was being read."""

    def __init__(self, store: Store, backfill: IndexBackfill) -> None:
        super().__init__()
        self._store = store
        self._backfill = backfill

    async def cog_unload(self) -> None:
        """Stop reading; the next start goes on."""
        await self._backfill.close()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Go on with what was being read."""
        try:
            await self._backfill.go_on()
        except StoreError as error:
            log.warning("Which channels' past was being read could not be read. %s", error)

    @app_commands.command(
        name=locale_str("backfill"),
        description=locale_str("Read a channel's older pictures, so that they can be found again, too"),
    )
    @app_commands.describe(channel=locale_str("The channel, or a thread"))
    async def backfill(
        self,
        interaction: Interaction,
        channel: app_commands.Transform[AppCommandChannel | AppCommandThread, ChannelOrThread],
    ) -> None:
        """Begin, and show everybody in the channel of the command how far it is."""
        wishes = await in_force_for(
            self._store,
            interaction.user.id,
            interaction.guild_id,
            user_locale=interaction.locale,
            guild_locale=interaction.guild_locale,
        )
        known = interaction.guild.get_channel_or_thread(channel.id) if interaction.guild else None
        if not isinstance(known, PastChannel):
            sentence = wishes.own_language.gettext(NO_HISTORY)
            raise InteractionRefused(sentence.format(channel=channel.mention))
        await self._backfill.begin(interaction, known, wishes.shared_language)

    def interaction_check(self, interaction: Interaction, /) -> bool:
        """Check each command, also where a server does not keep to the permissions that commands declare."""
        return may_manage(interaction)

    async def cog_app_command_error(
        self, interaction: Interaction, error: app_commands.AppCommandError
    ) -> None:
        """Say one sentence to whoever asked."""
        await explain(interaction, error, await language_of(self._store, interaction), BACKFILL_SENTENCES)
