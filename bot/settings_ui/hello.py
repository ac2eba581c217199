"""What the bot says on a server that it joins, and what a press of its buttons does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import discord
from discord import ui

from bot.components import controls
from bot.i18n import N_, Language
from bot.policy.audience import place_ids
from bot.presentation.help_texts import MENU
from bot.presses.errors import InteractionRefused, PressOutdated
from bot.presses.press import Press, PressHandler
from bot.settings_ui.guild_panel import GuildPanel
from bot.settings_ui.guild_panel_presses import may_manage
from bot.settings_ui.setting_faults import MANAGERS_ONLY, SENTENCES
from bot.settings_ui.setting_values import guild_id_of, present
from bot.settings_ui.setting_words import SettingWords
from bot.store import GuildSettings
from bot.store.chosen_settings import Choices

PANEL = "hello"
CHOICES: Final[Mapping[str, str]] = {
    "everywhere": N_("Everywhere"),
    "here": N_("Only here"),
    "clicked": N_("When clicked"),
    "settings": N_("Settings"),
}
"""The buttons under the hello, and their labels."""


def hello(
    settings: GuildSettings, channel: discord.abc.MessageableChannel, language: Language
) -> tuple[str, ui.View]:
    """Return what is said in this channel of a server with these settings, and the buttons under it."""
    say = language.gettext
    if settings.how in ("reply", "silent") and settings.watches(*place_ids(channel)):
        first = say(N_("Hello! When someone posts a picture here, I'll say what's in it."))
    else:
        first = say(N_("Hello! Mention me with a picture, and I'll say what's in it."))
    also = say(N_("You can also use `/classify`, or a message's menu: Apps, then **{menu}**. More: `/help`."))
    ask = say(N_("Moderators: where should I reply to pictures automatically?"))
    buttons = (
        controls.button(controls.custom_id(PANEL, verb), say(label)) for verb, label in CHOICES.items()
    )
    return f"{language.text(first, also.format(menu=say(MENU)))}\n-# {ask}", controls.view(*buttons)


class HelloPresses(PressHandler):
    """Handles the buttons under the hello, for those who may manage the server."""

    panel = PANEL
    sentences = SENTENCES

    def __init__(self, guilds: Choices[GuildSettings], words: Callable[[Language], SettingWords]) -> None:
        self._guilds = guilds
        self._words = words

    def check(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:  # noqa: ARG002
        """Refuse whoever may not manage the server."""
        if not may_manage(interaction):
            raise InteractionRefused(language.gettext(MANAGERS_ONLY))

    async def act(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:
        """Save what was chosen and say to the presser how it stands, or open the panel."""
        words, guild_id = self._words(language), guild_id_of(interaction)
        change: dict[str, Any]
        match press.verb:
            case "settings":
                settings = present(interaction, await self._guilds.get(guild_id))
                await interaction.response.send_message(
                    view=GuildPanel(words, settings).page(), ephemeral=True
                )
                return
            case "everywhere":
                change = {"where": "all", "how": "reply"}
            case "here":
                change = {"where": "only", "channels": (interaction.channel_id,), "how": "reply"}
            case "clicked":
                change = {"how": "react"}
            case _:
                raise PressOutdated(press)
        settings = present(interaction, await self._guilds.update(guild_id, change))
        await interaction.response.send_message(words.pages(settings, ("where", "how")), ephemeral=True)
