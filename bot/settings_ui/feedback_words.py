"""What people answered to "Was this right?", in words for a server's moderators."""

from __future__ import annotations

from bot.i18n import Language
from bot.presentation.feedback_lines import certainty_lines, name_lines, rate
from bot.settings_ui.setting_words import listed
from bot.store import BUTTONS
from bot.store.feedback import FeedbackSummary


def feedback_words(summary: FeedbackSummary, language: Language) -> str:
    """Return the summary in markdown, the names most often wrong first, as much as fits into a message."""
    if not summary.total.all:
        return language.gettext("Nobody has pressed “Was this right?” here yet.")
    title = f"### {language.gettext(BUTTONS['feedback'])}\n{rate(summary.total, language)}"
    return listed(title, [*certainty_lines(summary, language), *name_lines(summary, language)], language)
