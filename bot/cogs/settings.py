"""A server's settings in Discord: a panel, and the same by plain commands for screen readers and scripts.

Discord lets nobody invoke a command that has subcommands, so `/settings` alone cannot be the panel beside
`/settings where`: the panel is `/settings panel`, the first of the list that Discord shows for `/settings`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.app_commands import Choice, Range, Transform, locale_str
from discord.ext import commands

from bot.delivery.interaction_responses import say
from bot.i18n import N_
from bot.panel import here, importing
from bot.panel.controls import Press, choices, matching
from bot.panel.faults import explain
from bot.panel.pressing import (
    may_change,
    obey,
    panel,
    usable_emoji,
    usable_language,
    usable_model,
)
from bot.panel.server import ALL, DEFAULT, PANEL
from bot.panel.words import GROUP_TITLES, HOW, WHERE, Words, language_names
from bot.policy.in_force import language_of
from bot.presentation.errors import LEAVING
from bot.store import BUTTONS, GROUPS, PER_MINUTE, GuildSettings

if TYPE_CHECKING:
    from bot.client import Whatsit

    Interaction = discord.Interaction[Whatsit]

__all__ = ["Settings"]


class ChannelId(app_commands.Transformer):
    """Any channel of the server; of a thread or post, the channel that it is in."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.channel

    async def transform(self, interaction: discord.Interaction[Any], value: Any, /) -> int:  # noqa: ARG002
        """Discord's channel or thread to the id that settings hold."""
        return int(value.parent_id if isinstance(value, app_commands.AppCommandThread) else value.id)


@app_commands.default_permissions(manage_guild=True)
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
class Settings(
    commands.GroupCog,
    group_name=locale_str("settings"),
    group_description=locale_str("How I behave in this server"),
):
    """Only for those who may manage the server; checked at each command and at each press."""

    def __init__(self, bot: Whatsit) -> None:
        super().__init__()
        self.bot = bot

    @app_commands.command(
        name=locale_str("panel"), description=locale_str("See and change the settings in one place")
    )
    async def panel(self, interaction: Interaction) -> None:
        """Open the panel, for the asker's eyes only."""
        words, guild_id = await self._words(interaction), _guild_id(interaction)
        settings = await self.bot.store.guilds.get(guild_id)
        page = panel(self.bot, guild_id, words, settings).page()
        await interaction.response.send_message(view=page, ephemeral=True)

    @app_commands.command(name=locale_str("show"), description=locale_str("List the settings, as text"))
    async def show(self, interaction: Interaction) -> None:
        """All settings in words."""
        settings = await self.bot.store.guilds.get(_guild_id(interaction))
        await self._say(interaction, settings)

    @app_commands.command(
        name=locale_str("where"), description=locale_str("In which channels I answer unasked, and whom not")
    )
    @app_commands.describe(
        watch=locale_str("Which channels"),
        add=locale_str("A channel to put on the list; its threads come along"),
        remove=locale_str("A channel to take off the list"),
        ignore=locale_str("A role whose pictures I shall not answer unasked"),
        heed=locale_str("A role to ignore no longer"),
    )
    @app_commands.choices(watch=choices(WHERE))
    async def where(  # noqa: PLR0917 - discord.py reads the options from it
        self,
        interaction: Interaction,
        watch: Choice[str] | None = None,
        add: Transform[int, ChannelId] | None = None,
        remove: Transform[int, ChannelId] | None = None,
        ignore: discord.Role | None = None,
        heed: discord.Role | None = None,
    ) -> None:
        """Change what is given, and show how it stands now."""

        def changed(now: GuildSettings) -> dict[str, Any]:
            change: dict[str, Any] = {"where": watch.value} if watch else {}
            change |= _listed(now, "channels", add, remove)
            return change | _listed(now, "ignored_roles", _id(ignore), _id(heed))

        settings = await self.bot.store.guilds.update(_guild_id(interaction), changed)
        await self._say(interaction, settings, "where")

    @app_commands.command(
        name=locale_str("how"), description=locale_str("What a picture gets that nobody asked about")
    )
    @app_commands.describe(
        answer=locale_str("What it gets"),
        emoji=locale_str("The emoji of the reaction, such as 🔍 or one of this server"),
    )
    @app_commands.choices(answer=choices(HOW))
    async def how(
        self,
        interaction: Interaction,
        answer: Choice[str] | None = None,
        emoji: Range[str, 1, 64] | None = None,
    ) -> None:
        """Change what is given, and show how it stands now."""
        words = await self._words(interaction)
        change = {"how": answer.value} if answer else {}
        if emoji is not None:
            change["emoji"] = await usable_emoji(self.bot, _guild_id(interaction), words, emoji)
        settings = await self.bot.store.guilds.update(_guild_id(interaction), change)
        await self._say(interaction, settings, "how")

    @app_commands.command(name=locale_str("what"), description=locale_str("What an answer says and carries"))
    @app_commands.describe(
        top=locale_str("How many guesses to show for each picture"),
        min_confidence=locale_str("Per cent; below it I say that I'm not sure"),
        model=locale_str("What recognises the pictures"),
        language=locale_str("The language of answers that everyone reads"),
        more=locale_str("Whether answers carry the button “More”"),
        direct=locale_str("Whether answers carry the button “Send to my DMs”"),
        right=locale_str("Whether answers carry the button “Was this right?”"),
        alt_text=locale_str("Whether answers carry the button “Alt text”"),
    )
    async def what(  # noqa: PLR0917 - discord.py reads the options from it
        self,
        interaction: Interaction,
        top: Range[int, 1, 10] | None = None,
        min_confidence: Range[int, 0, 100] | None = None,
        model: Range[str, 1, 100] | None = None,
        language: Range[str, 1, 100] | None = None,
        more: bool | None = None,
        direct: bool | None = None,
        right: bool | None = None,
        alt_text: bool | None = None,
    ) -> None:
        """Change what is given, and show how it stands now."""
        words = await self._words(interaction)
        change: dict[str, Any] = {}
        if top is not None:
            change["top"] = top
        if min_confidence is not None:
            change["min_confidence"] = min_confidence / 100
        if model is not None:
            change["model"] = None if model == DEFAULT else model
            usable_model(self.bot, words, change["model"])
        if language is not None:
            change["language"] = None if language == DEFAULT else language
            usable_language(words, change["language"])
        given = dict(zip(BUTTONS, (more, direct, right, alt_text), strict=True))

        def changed(now: GuildSettings) -> dict[str, Any]:
            if all(carried is None for carried in given.values()):
                return change
            carried = {button: button in now.buttons for button in BUTTONS}
            carried |= {button: wanted for button, wanted in given.items() if wanted is not None}
            return {**change, "buttons": tuple(button for button in BUTTONS if carried[button])}

        settings = await self.bot.store.guilds.update(_guild_id(interaction), changed)
        await self._say(interaction, settings, "what")

    @what.autocomplete("model")
    async def _models(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        words = await self._words(interaction)
        names = {name: name for name in self.bot.settings.model.allowed}
        return matching({DEFAULT: words.value("model", None), **names}, typed)

    @what.autocomplete("language")
    async def _languages(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        words = await self._words(interaction)
        return matching({DEFAULT: words.value("language", None), **language_names()}, typed)

    @app_commands.command(
        name=locale_str("quotas"), description=locale_str("How many pictures a minute I look at")
    )
    @app_commands.describe(
        member=locale_str("Images a minute for each member; 0 for the usual limit"),
        server=locale_str("Images a minute for the whole server; 0 for no limit"),
        exempt=locale_str("A role that shall have no quota"),
        limit=locale_str("A role that shall have one again"),
    )
    async def quotas(
        self,
        interaction: Interaction,
        member: Range[int, 0, PER_MINUTE] | None = None,
        server: Range[int, 0, PER_MINUTE] | None = None,
        exempt: discord.Role | None = None,
        limit: discord.Role | None = None,
    ) -> None:
        """Change what is given, and show how it stands now."""

        def changed(now: GuildSettings) -> dict[str, Any]:
            change: dict[str, Any] = {} if member is None else {"member_per_minute": member or None}
            change |= {} if server is None else {"guild_per_minute": server or None}
            return change | _listed(now, "unlimited_roles", _id(exempt), _id(limit))

        settings = await self.bot.store.guilds.update(_guild_id(interaction), changed)
        await self._say(interaction, settings, "quotas")

    @app_commands.command(
        name=locale_str("reset"), description=locale_str("Back to how it was in the beginning")
    )
    @app_commands.describe(settings=locale_str("Which settings"))
    @app_commands.choices(settings=choices({ALL: N_("Everything"), **GROUP_TITLES}))
    async def reset(self, interaction: Interaction, settings: Choice[str]) -> None:
        """Reset one group, or all, and show how it stands now."""
        group = settings.value
        now = await self.bot.store.guilds.reset(_guild_id(interaction), GROUPS.get(group))
        await self._say(interaction, now, *(() if group == ALL else (group,)))

    @app_commands.command(name=locale_str("export"), description=locale_str("Get the settings as a file"))
    async def export(self, interaction: Interaction) -> None:
        """The settings as a JSON file, which `/settings import` takes."""
        guild_id = _guild_id(interaction)
        settings = here.alive(self.bot, guild_id, await self.bot.store.guilds.get(guild_id))
        await interaction.response.send_message(file=importing.exported(settings), ephemeral=True)

    @app_commands.command(
        name=locale_str("import"),
        description=locale_str("Take settings from a file; you see first what changes"),
    )
    @app_commands.describe(file=locale_str("A file that /settings export gave"))
    async def import_(self, interaction: Interaction, file: discord.Attachment) -> None:
        """Show what the file would change, and offer to do so."""
        words = await self._words(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        await importing.offer(self.bot, interaction, words, file)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        """A press in a panel or an offer of this run or an earlier one."""
        press = Press.of(interaction, PANEL)
        if press is None or interaction.guild_id is None:
            return
        words = await self._words(interaction)
        if self.bot.stopping:
            await say(interaction, words(LEAVING))
            return
        with self.bot.in_hand():
            try:
                await obey(self.bot, interaction, interaction.guild_id, words, press)
            except Exception as error:  # noqa: BLE001 - `explain` logs whole what nobody foresaw
                await explain(interaction, error, words.language)

    def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """For each command, also where a server does not keep to the permissions that commands declare."""
        return may_change(interaction)

    async def cog_app_command_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError
    ) -> None:
        """One sentence for whoever asked."""
        words = await self._words(interaction)
        await explain(interaction, error, words.language)

    async def _words(self, interaction: Interaction) -> Words:
        return here.words(self.bot, await language_of(self.bot.store, interaction))

    async def _say(self, interaction: Interaction, settings: GuildSettings, *groups: str) -> None:
        words, guild_id = await self._words(interaction), _guild_id(interaction)
        text = panel(self.bot, guild_id, words, settings).text(*groups)
        await interaction.response.send_message(text, ephemeral=True)


def _guild_id(interaction: Interaction) -> int:
    if interaction.guild_id is None:
        raise RuntimeError("a command that is only for servers came from elsewhere")
    return interaction.guild_id


def _listed(
    now: GuildSettings,
    field: str,
    added: int | None,
    removed: int | None,
) -> dict[str, tuple[int, ...]]:
    if added is None and removed is None:
        return {}
    return {field: tuple({*getattr(now, field), added or removed} - {removed})}


def _id(role: discord.Role | None) -> int | None:
    return None if role is None else role.id
