"""What people answered to "Was this right?", in words for a server's moderators."""

from __future__ import annotations

from typing import Final

from bot.i18n import N_, Language
from bot.presentation.naming import neutral
from bot.settings_ui.setting_words import listed
from bot.store import BUTTONS
from bot.store.feedback import FeedbackSummary, OpinionCount

CERTAINTIES: Final = {
    "sure": N_("Said outright: {rate}"),
    "probably": N_("Said with “probably”: {rate}"),
    "maybe": N_("Said with “maybe”: {rate}"),
    "not_sure": N_("Said with “I'm not sure”: {rate}"),
}
MISTAKES = 3
"""What people said instead of one name, at most."""
WIDTH = 40
"""Characters of a name."""


def feedback_words(summary: FeedbackSummary, language: Language) -> str:
    """Return the summary in markdown, the names most often wrong first, as much as fits into a message."""
    if not summary.total.all:
        return language.gettext("Nobody has pressed “Was this right?” here yet.")
    title = f"### {language.gettext(BUTTONS['feedback'])}\n{_rate(summary.total, language)}"
    certainties = [
        language.gettext(sentence).format(rate=_rate(summary.certainties[name], language))
        for name, sentence in CERTAINTIES.items()
        if name in summary.certainties
    ]
    names = [
        f"**{neutral(label, WIDTH)}**: {_rate(count, language)}{_instead(count, language)}"
        for label, count in summary.labels.items()
    ]
    return listed(title, certainties + names, language)


def _rate(count: OpinionCount, language: Language) -> str:
    return language.gettext("{right} of {all} right").format(right=count.right, all=count.all)


def _instead(count: OpinionCount, language: Language) -> str:
    said = ", ".join(
        f"{neutral(name, WIDTH)} ({times})" for name, times in count.instead.most_common(MISTAKES)
    )
    return language.gettext("; it was {names}").format(names=said) if said else ""
