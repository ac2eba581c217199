"""A name that a server taught, and how it stands beside the model's own: above them, and marked."""

from __future__ import annotations

from dataclasses import dataclass

from bot.i18n import N_, Language
from bot.presentation.naming import Certainty, Finding
from bot.presentation.plain_text import neutral, shorten

SIGN = "🏷️"
"""Marks every taught name: none of the model's own has it."""
_SENTENCES = {
    False: N_("**{label}**, as I was taught here"),
    True: N_("Maybe **{label}**, as I was taught here from very few pictures"),
}
_OWN = N_("By my own names:")
_OWN_SURE = N_("By my own names I'm sure, though:")


@dataclass(frozen=True, slots=True)
class TaughtName:
    """A label of the server's own that was recognised, by its number and name.

    `few`: it has so few examples that one name in five is wrong.
    """

    label: int
    name: str
    few: bool = False

    def above(self, own: str, finding: Finding, language: Language, width: int) -> str:
        """Return the sentence of this name above what the model says by itself.

        Where the model is sure of another name, that is said too: neither hides the other.
        """
        said = language.gettext(_SENTENCES[self.few]).format(label=neutral(self.name, width))
        if self.is_what_is_said(finding, language):
            return f"{SIGN} {said}\n{own}"
        heading = _OWN_SURE if finding.certainty is Certainty.SURE else _OWN
        return f"{SIGN} {said}\n{language.gettext(heading)}\n{own}"

    def before(self, own: str, width: int) -> str:
        """Return this name in front of what the model says by itself, in one line."""
        return f"{SIGN} **{neutral(self.name, width)}**{'?' * self.few} · {own}"

    def plain(self, width: int) -> str:
        """Return this name for where there is no markdown, such as a menu."""
        return f"{SIGN} {shorten(self.name, width)}"

    def is_what_is_said(self, finding: Finding, language: Language) -> bool:
        """Tell whether the model says the same word by itself."""
        words = {finding.said, language.labels.form(finding.said)}
        return self.name.casefold() in {word.casefold() for word in words}
