"""A server's settings in Discord: a panel, and the same by plain commands for screen readers and scripts.

Discord lets nobody invoke a command that has subcommands, so `/settings` alone cannot be the panel beside
`/settings where`: the panel is `/settings panel`, the first of the list that Discord shows for `/settings`.

Which setting an option changes is in the table of settings, `bot.store.guild_settings`; a test holds the
options of each command against it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice, Range, Transform, locale_str
from discord.ext import commands

from bot.answering.ledger import Ledger
from bot.components.controls import choices, matching_choices
from bot.i18n import N_, Language
from bot.policy.effective_settings import language_of
from bot.presses.errors import explain
from bot.settings_ui.feedback_words import feedback_words
from bot.settings_ui.guild_panel import ALL, GuildPanel
from bot.settings_ui.guild_panel_presses import may_manage
from bot.settings_ui.setting_faults import SENTENCES
from bot.settings_ui.setting_values import from_options, guild_id_of, present
from bot.settings_ui.setting_words import SettingWords
from bot.settings_ui.settings_import import SettingsImport, exported
from bot.store import FIELDS, PAGE_TITLES, PAGES, PER_MINUTE, GuildSettings, Store
from inference.results import RANKED

Interaction = discord.Interaction[Any]


class ChannelId(app_commands.Transformer):
    """Any channel of the server; of a thread or post, the channel that it is in."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.channel

    async def transform(self, interaction: Interaction, value: Any, /) -> int:  # noqa: ARG002
        """Return the id that settings hold for Discord's channel or thread."""
        return int(value.parent_id if isinstance(value, app_commands.AppCommandThread) else value.id)


@app_commands.default_permissions(manage_guild=True)
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
class GuildSettingsCog(
    commands.GroupCog,
    group_name=locale_str("settings"),
    group_description=locale_str("How I behave in this server"),
):
    """Only for those who may manage the server; checked at each command and at each press."""

    def __init__(
        self,
        *,
        store: Store,
        words: Callable[[Language], SettingWords],
        imports: SettingsImport,
        ledger: Ledger,
    ) -> None:
        super().__init__()
        self._store = store
        self._words_in = words
        self._imports = imports
        self._ledger = ledger

    @app_commands.command(
        name=locale_str("panel"), description=locale_str("See and change the settings in one place")
    )
    async def panel(self, interaction: Interaction) -> None:
        """Open the panel, for the asker's eyes only."""
        panel = GuildPanel(await self._words(interaction), await self._present(interaction))
        await interaction.response.send_message(view=panel.page(), ephemeral=True)

    @app_commands.command(name=locale_str("show"), description=locale_str("List the settings, as text"))
    async def show(self, interaction: Interaction) -> None:
        """Say all settings in words."""
        await self._say(interaction, *PAGES)

    @app_commands.command(
        name=locale_str("where"),
        description=locale_str("Which channels I reply in automatically, and whose pictures I ignore"),
    )
    @app_commands.describe(
        watch=locale_str("Which channels"),
        add=locale_str("A channel to add to the list, with its threads"),
        remove=locale_str("A channel to take off the list"),
        ignore=locale_str("A role whose pictures I should not reply to automatically"),
        unignore=locale_str("A role to stop ignoring"),
        index=locale_str("A channel whose pictures /find and /similar should find again"),
        unindex=locale_str("A channel whose pictures I should forget, and keep no more"),
        reposts=locale_str("A channel in which I should say that a picture was posted there before"),
        no_reposts=locale_str("A channel in which I should say so no more"),
    )
    @app_commands.choices(watch=choices(FIELDS["where"].words))
    async def where(  # noqa: PLR0917 - discord.py reads the options from it
        self,
        interaction: Interaction,
        watch: Choice[str] | None = None,
        add: Transform[int, ChannelId] | None = None,
        remove: Transform[int, ChannelId] | None = None,
        ignore: discord.Role | None = None,
        unignore: discord.Role | None = None,
        index: Transform[int, ChannelId] | None = None,
        unindex: Transform[int, ChannelId] | None = None,
        reposts: Transform[int, ChannelId] | None = None,
        no_reposts: Transform[int, ChannelId] | None = None,
    ) -> None:
        """Change what is given, and show how it stands now."""
        await self._change(
            interaction,
            "where",
            watch=watch,
            add=add,
            remove=remove,
            ignore=ignore,
            unignore=unignore,
            index=index,
            unindex=unindex,
            reposts=reposts,
            no_reposts=no_reposts,
        )

    @app_commands.command(
        name=locale_str("how"), description=locale_str("What I do when someone posts a picture")
    )
    @app_commands.describe(
        answer=locale_str("What I do"),
        emoji=locale_str("The emoji of the reaction, such as 🔍 or one from this server"),
        statistics=locale_str("Whether I count pictures, for /stats"),
    )
    @app_commands.choices(answer=choices(FIELDS["how"].words), statistics=choices(FIELDS["statistics"].words))
    async def how(
        self,
        interaction: Interaction,
        answer: Choice[str] | None = None,
        emoji: Range[str, 1, 64] | None = None,
        statistics: Choice[str] | None = None,
    ) -> None:
        """Change what is given, and show how it stands now."""
        await self._change(interaction, "how", answer=answer, emoji=emoji, statistics=statistics)

    @app_commands.command(
        name=locale_str("what"),
        description=locale_str("What is in an answer, and which buttons are below it"),
    )
    @app_commands.describe(
        top=locale_str("How many guesses to show for each picture"),
        min_confidence=locale_str("Below this percentage I say that I'm not sure"),
        model=locale_str("The model that recognises the pictures"),
        language=locale_str("The language of answers that everyone sees"),
        style=locale_str("How an answer is laid out"),
        more=locale_str("Show the button “More” below answers"),
        why=locale_str("Show the button “Why?” below answers"),
        dm_button=locale_str("Show the button “Send to my DMs” below answers"),
        feedback=locale_str("Show the button “Was this right?” below answers"),
        alt_text=locale_str("Show the button “Alt text” below answers"),
        delete=locale_str("Show the button “Delete” below answers"),
        teach=locale_str("Show the button “No, what is it?” below answers, once I was taught a word"),
    )
    @app_commands.choices(style=choices(FIELDS["style"].words))
    async def what(  # noqa: PLR0917 - discord.py reads the options from it
        self,
        interaction: Interaction,
        top: Range[int, 1, RANKED] | None = None,
        min_confidence: Range[int, 0, 100] | None = None,
        model: Range[str, 1, 100] | None = None,
        language: Range[str, 1, 100] | None = None,
        style: Choice[str] | None = None,
        more: bool | None = None,
        why: bool | None = None,
        dm_button: bool | None = None,
        feedback: bool | None = None,
        alt_text: bool | None = None,
        delete: bool | None = None,
        teach: bool | None = None,
    ) -> None:
        """Change what is given, and show how it stands now."""
        buttons = {
            "more": more,
            "why": why,
            "dm_button": dm_button,
            "feedback": feedback,
            "alt_text": alt_text,
            "delete": delete,
            "teach": teach,
        }
        await self._change(
            interaction,
            "what",
            top=top,
            min_confidence=min_confidence,
            model=model,
            language=language,
            style=style,
            **buttons,
        )

    @what.autocomplete("model")
    async def _models(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        return matching_choices((await self._words(interaction)).names("model"), typed)

    @what.autocomplete("language")
    async def _languages(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        return matching_choices((await self._words(interaction)).names("language"), typed)

    @app_commands.command(
        name=locale_str("quotas"), description=locale_str("How many pictures a minute I look at")
    )
    @app_commands.describe(
        member=locale_str("Pictures per minute for each member; 0 for the default limit"),
        server=locale_str("Pictures per minute for the whole server; 0 for no limit"),
        exempt=locale_str("A role to exempt from the limits"),
        limit=locale_str("A role that the limits apply to again"),
        teacher=locale_str("A role that may teach me words, with /teach"),
        unteacher=locale_str("A role that may no longer teach me"),
    )
    async def quotas(  # noqa: PLR0917 - discord.py reads the options from it
        self,
        interaction: Interaction,
        member: Range[int, 0, PER_MINUTE] | None = None,
        server: Range[int, 0, PER_MINUTE] | None = None,
        exempt: discord.Role | None = None,
        limit: discord.Role | None = None,
        teacher: discord.Role | None = None,
        unteacher: discord.Role | None = None,
    ) -> None:
        """Change what is given, and show how it stands now."""
        await self._change(
            interaction,
            "quotas",
            member=member,
            server=server,
            exempt=exempt,
            limit=limit,
            teacher=teacher,
            unteacher=unteacher,
        )

    @app_commands.command(
        name=locale_str("reset"), description=locale_str("Reset settings to their defaults")
    )
    @app_commands.describe(settings=locale_str("Which settings"))
    @app_commands.choices(settings=choices({ALL: N_("Everything"), **PAGE_TITLES}))
    async def reset(self, interaction: Interaction, settings: Choice[str]) -> None:
        """Reset one page, or all, and show how it stands now."""
        page = settings.value
        await self._store.guilds.reset(guild_id_of(interaction), PAGES.get(page))
        await self._say(interaction, *(PAGES if page == ALL else (page,)))

    @app_commands.command(name=locale_str("export"), description=locale_str("Get the settings as a file"))
    async def export(self, interaction: Interaction) -> None:
        """Give the settings as a JSON file, which `/settings import` takes."""
        file = exported(await self._present(interaction))
        await interaction.response.send_message(file=file, ephemeral=True)

    @app_commands.command(
        name=locale_str("import"),
        description=locale_str("Load settings from a file; you'll first see what would change"),
    )
    @app_commands.describe(file=locale_str("A file from /settings export"))
    async def import_(self, interaction: Interaction, file: discord.Attachment) -> None:
        """Show what the file would change, and offer to do so."""
        words = await self._words(interaction)
        async with self._ledger.open_press(interaction):
            await interaction.response.defer(ephemeral=True, thinking=True)
            await self._imports.offer(interaction, words, file)

    @app_commands.command(
        name=locale_str("feedback"), description=locale_str("How often people here said that I was right")
    )
    async def feedback(self, interaction: Interaction) -> None:
        """Show what was answered to "Was this right?"."""
        summary = await self._store.feedback.summary(guild_id_of(interaction))
        words = feedback_words(summary, await language_of(self._store, interaction))
        await interaction.response.send_message(words, ephemeral=True)

    def interaction_check(self, interaction: Interaction, /) -> bool:
        """Check each command, also where a server does not keep to the permissions that commands declare."""
        return may_manage(interaction)

    async def cog_app_command_error(
        self, interaction: Interaction, error: app_commands.AppCommandError
    ) -> None:
        """Say one sentence to whoever asked."""
        await explain(interaction, error, await language_of(self._store, interaction), SENTENCES)

    async def _change(self, interaction: Interaction, page: str, **options: Any) -> None:
        words = await self._words(interaction)
        change = await from_options(interaction, words, page, options)
        settings = await self._store.guilds.update(guild_id_of(interaction), change)
        given = {option for option, value in options.items() if value is not None}
        idle = [
            words.without_effect(name, settings)
            for name in PAGES[page]
            if not given.isdisjoint(FIELDS[name].options) and not settings.meets(FIELDS[name].matters)
        ]
        await self._say(interaction, page, notes=idle)

    async def _words(self, interaction: Interaction) -> SettingWords:
        return self._words_in(await language_of(self._store, interaction))

    async def _present(self, interaction: Interaction) -> GuildSettings:
        return present(interaction, await self._store.guilds.get(guild_id_of(interaction)))

    async def _say(self, interaction: Interaction, *pages: str, notes: Sequence[str] = ()) -> None:
        words = await self._words(interaction)
        text = words.pages(await self._present(interaction), pages)
        await interaction.response.send_message("\n\n".join([*notes, text]), ephemeral=True)
