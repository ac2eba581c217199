"""The panel of one member's preferences, and what a press of it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import discord
from discord import ui

from bot.components import controls
from bot.i18n import N_, Language
from bot.policy.effective_settings import language_of
from bot.presses.errors import PressOutdated
from bot.presses.press import Press, PressHandler
from bot.settings_ui.privacy_panel import forget_button
from bot.settings_ui.setting_faults import SENTENCES
from bot.settings_ui.setting_words import DEFAULT, language_names
from bot.store import MemberPreferences, Store

PANEL = "preferences"
DELIVERY: Final = {
    "default": N_("Server default"),
    "private": N_("Always just for me"),
    "direct": N_("Always by direct message"),
}
DELIVERY_DESCRIPTIONS: Final = {
    "default": N_("In the channel, or just for you when you ask for that"),
    "private": N_("Only you see the answers you ask for; pictures you post get no public answer"),
    "direct": N_("The answers you ask for, and those to pictures you post where I reply automatically"),
}
TITLE = N_("Your preferences")
LEAVE_ALONE, LOOK_AGAIN = N_("Leave my pictures alone"), N_("Look at my pictures again")
LEFT_ALONE = N_("I leave your pictures alone: I don't look at any that you post, no matter who asks.")
NOT_LEFT_ALONE = N_("I look at pictures you post where the server is set up for it, or when someone asks.")


@dataclass(frozen=True)
class MemberPanel:
    """What one member sees of their own preferences."""

    language: Language
    preferences: MemberPreferences

    def page(self) -> ui.LayoutView:
        """Return all preferences, each with what changes it."""
        gettext, now = self.language.gettext, self.preferences
        names = {DEFAULT: gettext("Same as my Discord")} | language_names()
        answers = {value: gettext(sentence) for value, sentence in DELIVERY.items()}
        descriptions = {value: gettext(sentence) for value, sentence in DELIVERY_DESCRIPTIONS.items()}
        left = LEFT_ALONE if now.leave_alone else NOT_LEFT_ALONE
        switch = gettext(LOOK_AGAIN if now.leave_alone else LEAVE_ALONE)
        language = controls.select(_id("set", "language"), names, [now.language or DEFAULT])
        delivery = controls.select(_id("set", "delivery"), answers, [now.delivery], descriptions=descriptions)
        return controls.layout(
            ui.TextDisplay("## " + gettext(TITLE) + "\n-# " + gettext("In every server. Only you see this.")),
            ui.TextDisplay("**" + gettext("Language") + "**"),
            ui.ActionRow(language),
            ui.TextDisplay("**" + gettext("My answers to you") + "**"),
            ui.ActionRow(delivery),
            ui.TextDisplay(gettext(left)),
            ui.ActionRow(
                controls.button(_id("leave", "no" if now.leave_alone else "yes"), switch),
                forget_button(self.language),
            ),
        )


class MemberPanelPresses(PressHandler):
    """Handles the presses of a member's own panel, which nobody else sees."""

    panel = PANEL
    sentences = SENTENCES

    def __init__(self, store: Store) -> None:
        self._store = store

    def check(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:
        """Let everybody press: nobody sees another's panel, and a press changes the presser's preferences."""

    async def act(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:  # noqa: ARG002 - the press may change it
        """Do what was pressed, and show how it stands then. If it raises, nothing has changed."""
        members, member = self._store.members, interaction.user.id
        match (press.verb, press.what, press.values):
            case "open", _, _:
                now = await members.get(member)
            case "set", "language" | "delivery" as field, (chosen,):
                usable = None if field == "language" and chosen == DEFAULT else chosen
                now = await members.update(member, {field: usable})
            case "leave", "yes" | "no" as left, _:
                now = await members.update(member, {"leave_alone": left == "yes"})
            case _:
                raise PressOutdated(press)
        panel = MemberPanel(await language_of(self._store, interaction), now)
        await interaction.response.edit_message(view=panel.page())


def _id(verb: str, what: str = "") -> str:
    return controls.custom_id(PANEL, verb, what)
