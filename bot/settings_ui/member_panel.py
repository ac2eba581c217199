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
STILL_LEFT_ALONE = N_("I remember one thing, because you asked for it: I leave your pictures alone.")


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
                controls.button(_id("ask", "forget"), gettext("Forget me…")),
            ),
        )

    def sure(self) -> ui.LayoutView:
        """Return the question that is asked before everything about a member is forgotten."""
        gettext = self.language.gettext
        warning = gettext(
            "Forget your preferences, what you said about answers, and which answers were yours? "
            "Answers stay where they are, but are no longer deleted along with your picture."
        )
        return controls.layout(
            self._with_what_is_kept(warning),
            ui.ActionRow(
                controls.button(_id("forget"), gettext("Forget me"), discord.ButtonStyle.danger),
                controls.button(_id("open"), gettext("Cancel")),
            ),
        )

    def forgotten(self) -> ui.LayoutView:
        """Return what a member is told once everything is forgotten."""
        sentence = self.language.gettext(N_("I've forgotten everything I knew about you."))
        return controls.layout(self._with_what_is_kept(sentence))

    def _with_what_is_kept(self, sentence: str) -> ui.TextDisplay[Any]:
        kept = f"\n{self.language.gettext(STILL_LEFT_ALONE)}" if self.preferences.leave_alone else ""
        return ui.TextDisplay(f"{sentence}{kept}")


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
        show = MemberPanel.page
        match (press.verb, press.what, press.values):
            case "open", _, _:
                now = await members.get(member)
            case "set", "language" | "delivery" as field, (chosen,):
                usable = None if field == "language" and chosen == DEFAULT else chosen
                now = await members.update(member, {field: usable})
            case "leave", "yes" | "no" as left, _:
                now = await members.update(member, {"leave_alone": left == "yes"})
            case "ask", "forget", _:
                now, show = await members.get(member), MemberPanel.sure
            case "forget", _, _:
                now, show = await self._forget(member), MemberPanel.forgotten
            case _:
                raise PressOutdated(press)
        panel = MemberPanel(await language_of(self._store, interaction), now)
        await interaction.response.edit_message(view=show(panel))

    async def _forget(self, user_id: int) -> MemberPreferences:
        """Erase everything about a person but their wish to be left alone; return what is left."""
        before = await self._store.members.get(user_id)
        await self._store.erase_user(user_id)
        wish = {"leave_alone": True} if before.leave_alone else {}
        return await self._store.members.update(user_id, wish)


def _id(verb: str, what: str = "") -> str:
    return controls.custom_id(PANEL, verb, what)
