"""The panel of one member's preferences, and what a press of it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord
from discord import ui

from bot.i18n import N_, Language
from bot.panel import controls
from bot.panel.controls import Press
from bot.panel.faults import OUTDATED, Refused
from bot.panel.words import DELIVERY, DELIVERY_LONG, language_names
from bot.policy.in_force import own_language
from bot.store import MemberPreferences, Store

if TYPE_CHECKING:
    from bot.client import Whatsit

    Interaction = discord.Interaction[Whatsit]

__all__ = ["DEFAULT", "PANEL", "MemberPanel", "obey"]

PANEL = "preferences"
DEFAULT = "default"
"""The option that stands for the language of a member's own Discord."""
LEFT_ALONE = N_("I leave your images alone: I look at none that you post, whoever asks me to.")
NOT_LEFT_ALONE = N_("I look at images that you post where this server, or somebody, asks me to.")
FORGOTTEN = N_("Everything I knew about you is forgotten.")
STILL_LEFT_ALONE = N_("I keep one thing, because you wished it: to leave your images alone.")


@dataclass(frozen=True)
class MemberPanel:
    """What one member sees of their own preferences."""

    language: Language
    preferences: MemberPreferences

    def page(self) -> ui.LayoutView:
        """All of it."""
        say, now = self.language.gettext, self.preferences
        names = {DEFAULT: say("As my Discord is")} | language_names()
        left = LEFT_ALONE if now.leave_alone else NOT_LEFT_ALONE
        switch = say("Look at my images again") if now.leave_alone else say("Leave my images alone")
        return controls.layout(
            ui.TextDisplay(f"## {say('How I treat you')}\n-# {say('In every server. Only you see this.')}"),
            ui.TextDisplay(f"**{say('Language')}**"),
            controls.row(controls.choose(_id("set", "language"), names, [now.language or DEFAULT])),
            ui.TextDisplay(f"**{say('My answers to you')}**"),
            controls.row(
                controls.choose(
                    _id("set", "delivery"),
                    self._said(DELIVERY),
                    [now.delivery],
                    descriptions=self._said(DELIVERY_LONG),
                )
            ),
            ui.TextDisplay(say(left)),
            controls.row(
                controls.button(_id("leave", "no" if now.leave_alone else "yes"), switch),
                controls.button(_id("ask", "forget"), say("Forget me…")),
            ),
        )

    def sure(self) -> ui.LayoutView:
        """Before all is forgotten."""
        say = self.language.gettext
        kept = f"\n{say(STILL_LEFT_ALONE)}" if self.preferences.leave_alone else ""
        warning = say(
            "Forget your preferences, what you said about answers, and which answers were yours? "
            "Answers stay where they are, but no longer go when you delete your picture."
        )
        return controls.layout(
            ui.TextDisplay(f"{warning}{kept}"),
            controls.row(
                controls.button(_id("forget"), say("Forget me"), discord.ButtonStyle.danger),
                controls.button(_id("open"), say("Cancel")),
            ),
        )

    def gone(self) -> ui.LayoutView:
        """After it."""
        say = self.language.gettext
        kept = f"\n{say(STILL_LEFT_ALONE)}" if self.preferences.leave_alone else ""
        return controls.layout(ui.TextDisplay(f"{say(FORGOTTEN)}{kept}"))

    def _said(self, table: Mapping[str, str]) -> dict[str, str]:
        return {value: self.language.gettext(sentence) for value, sentence in table.items()}


async def obey(store: Store, interaction: Interaction, press: Press) -> None:
    """Do what was pressed, and show how it stands then.

    Raises `Refused`, `InvalidSettings` or a `StoreError`; then nothing has changed.
    """
    members, member = store.members, interaction.user.id
    match press:
        case Press("open"):
            page = _panel(interaction, await members.get(member)).page()
        case Press("set", "language" | "delivery" as field, (chosen,)):
            usable = None if field == "language" and chosen == DEFAULT else chosen
            page = _panel(interaction, await members.update(member, {field: usable})).page()
        case Press("leave", "yes" | "no" as left):
            page = _panel(interaction, await members.update(member, {"leave_alone": left == "yes"})).page()
        case Press("ask", "forget"):
            page = _panel(interaction, await members.get(member)).sure()
        case Press("forget"):
            page = _panel(interaction, await forget(store, member)).gone()
        case _:
            language = own_language(await members.get(member), interaction.locale)
            raise Refused(language.gettext(OUTDATED))
    await interaction.response.edit_message(view=page)


async def forget(store: Store, user_id: int) -> MemberPreferences:
    """Erase everything about a person but their wish to be left alone; what is left of their preferences."""
    before = await store.members.get(user_id)
    await store.erase_user(user_id)
    if not before.leave_alone:
        return await store.members.get(user_id)
    return await store.members.update(user_id, {"leave_alone": True})


def _panel(interaction: Interaction, preferences: MemberPreferences) -> MemberPanel:
    return MemberPanel(own_language(preferences, interaction.locale), preferences)


def _id(verb: str, what: str = "") -> str:
    return controls.custom_id(PANEL, verb, what)
