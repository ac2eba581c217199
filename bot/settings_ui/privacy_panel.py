"""What a member sees of what is kept of them, and how they have a copy sent or everything forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import discord
from discord import ui

from bot.components import controls
from bot.i18n import N_, Language
from bot.policy.effective_settings import language_of
from bot.policy.erasure import Erasure
from bot.presses.errors import PressOutdated, Sentences
from bot.presses.press import Press, PressHandler
from bot.settings_ui.privacy_export import PrivacyExport
from bot.settings_ui.privacy_words import kept_lines
from bot.settings_ui.setting_faults import SENTENCES
from bot.store import MemberPreferences, Retention, Store, StoreError

PANEL = "privacy"
IN_MEMORY = N_(
    "In memory, until I'm restarted at the latest: how much of your limit you have used (some minutes), and "
    "that I've told you how to ask me (a day)."
)
LEFT_ALONE = N_("That you want your pictures left alone, until you change it.")
NEVER = N_("I never keep pictures, your messages, or your name.")
WARNING = N_(
    "Forget everything about you? That is your preferences, what you said about answers, which answers "
    "were yours, and what I was taught with your pictures; whatever I'm doing for you right now stops. "
    "Answers stay where they are, but are no longer deleted along with your picture. How much of your "
    "limit you have used still counts for some minutes."
)
STILL_LEFT_ALONE = N_("I remember one thing, because you asked for it: I leave your pictures alone.")
PRIVACY_SENTENCES: Sentences = {
    **SENTENCES,
    StoreError: N_(
        "I can't reach my database right now. Try again in a minute; if it fails again, tell the bot's owner."
    ),
}
KEEPING_WISH, WITH_WISH = "keep", "all"
"""What is forgotten: all but the wish to be left alone, or all."""


@dataclass(frozen=True)
class PrivacyPanel:
    """What one member sees. `counts` are the rows of each table that are theirs."""

    language: Language
    preferences: MemberPreferences
    counts: Mapping[str, int]
    retention: Retention

    @classmethod
    async def of(cls, store: Store, interaction: discord.Interaction[Any]) -> Self:
        """Read what is kept of whoever asks. Raises a `StoreError`."""
        preferences = await store.members.get(interaction.user.id)
        counts = await store.personal.counts(interaction.user.id)
        return cls(await language_of(store, interaction), preferences, counts, store.retention)

    def page(self) -> ui.LayoutView:
        """Return what is kept, with what can be done about it."""
        gettext = self.language.gettext
        kept = [f"- {line}" for line in kept_lines(self.language, self.counts, self.retention)]
        lines = kept or [gettext("In my database: nothing.")]
        if self.preferences.leave_alone:
            lines.append(f"- {gettext(LEFT_ALONE)}")
        return controls.layout(
            ui.TextDisplay(
                "## " + gettext("What I keep about you") + "\n-# " + gettext("Only you see this.")
            ),
            ui.TextDisplay("\n".join(lines)),
            ui.TextDisplay(f"{gettext(IN_MEMORY)}\n{gettext(NEVER)}"),
            ui.ActionRow(
                controls.button(_id("export"), gettext("Send me a copy")), forget_button(self.language)
            ),
        )

    def sure(self) -> ui.LayoutView:
        """Return the question that is asked before everything about a member is forgotten."""
        gettext, danger = self.language.gettext, discord.ButtonStyle.danger
        buttons = [controls.button(_id("forget", KEEPING_WISH), gettext("Forget me"), danger)]
        text = gettext(WARNING)
        if self.preferences.leave_alone:
            text += f"\n{gettext(STILL_LEFT_ALONE)}"
            buttons.append(controls.button(_id("forget", WITH_WISH), gettext("Forget that too"), danger))
        buttons.append(controls.button(_id("open"), gettext("Cancel")))
        return controls.layout(ui.TextDisplay(text), ui.ActionRow(*buttons))

    def forgotten(self, *, with_wish: bool) -> ui.LayoutView:
        """Return what a member is told once everything is forgotten; `with_wish`: that wish too."""
        text = self.language.gettext("I've forgotten everything I knew about you.")
        if self.preferences.leave_alone and not with_wish:
            text += f"\n{self.language.gettext(STILL_LEFT_ALONE)}"
        return controls.layout(ui.TextDisplay(text))


def forget_button(language: Language) -> ui.Button[Any]:
    """Return the button that asks whether everything is to be forgotten, for whatever panel it stands in."""
    return controls.button(_id("ask"), language.gettext("Forget me…"))


class PrivacyPanelPresses(PressHandler):
    """Handles the presses of a member's own panel, which nobody else sees."""

    panel = PANEL
    sentences = PRIVACY_SENTENCES

    def __init__(self, store: Store, erasure: Erasure, export: PrivacyExport) -> None:
        self._store = store
        self._erasure = erasure
        self._export = export

    def check(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:
        """Let everybody press: nobody sees another's panel, and a press is about the presser."""

    async def act(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:
        """Do what was pressed. If it raises, it can be pressed again."""
        if press.verb == "export":
            await self._export.send(interaction, language)
            return
        panel = await PrivacyPanel.of(self._store, interaction)
        match (press.verb, press.what):
            case "open", _:
                await interaction.response.edit_message(view=panel.page())
            case "ask", _:
                await interaction.response.edit_message(view=panel.sure())
            case "forget", ("keep" | "all") as what:
                with_wish = what == WITH_WISH
                await interaction.response.defer()  # to let go of all work may take seconds
                await self._erasure.erase_user(interaction.user.id, with_wish=with_wish)
                await interaction.edit_original_response(view=panel.forgotten(with_wish=with_wish))
            case _:
                raise PressOutdated(press)


def _id(verb: str, what: str = "") -> str:
    return controls.custom_id(PANEL, verb, what)
