"""What people answered to "Was this right?", a line for each thing that can be said of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.i18n import N_, Language
from bot.presentation.label_name import LabelName
from bot.store.feedback import FeedbackSummary, OpinionCount

RATE = N_("{right} of {all} right")
CERTAINTIES: Final = {
    "sure": N_("Said outright: {right} of {all} right"),
    "probably": N_("Said with “probably”: {right} of {all} right"),
    "maybe": N_("Said with “maybe”: {right} of {all} right"),
    "not_sure": N_("Said with “I'm not sure”: {right} of {all} right"),
}
NAME = N_("{name}: {right} of {all} right")
NAME_WITH_OTHERS = N_("{name}: {right} of {all} right; it was {others}")
MISTAKES = 3
"""What people said instead of one name, at most."""
WIDTH = 40
"""Characters of a name."""


def rate(count: OpinionCount, language: Language, sentence: str = RATE, **blanks: str) -> str:
    """Return how many of the opinions say that it was right, in a sentence with these blanks."""
    numbers = {"right": language.number(count.right), "all": language.number(count.all)}
    return language.gettext(sentence).format(**numbers, **blanks)


def certainty_lines(summary: FeedbackSummary, language: Language) -> Iterator[str]:
    """Give a line for each way of saying a name, the surest first."""
    for certainty, sentence in CERTAINTIES.items():
        if certainty in summary.certainties:
            yield rate(summary.certainties[certainty], language, sentence)


def name_lines(
    summary: FeedbackSummary, language: Language, *, others: int | None = MISTAKES, plain: bool = False
) -> Iterator[str]:
    """Give a line for each name that was said, the most often wrong first; in markdown, or `plain`.

    `others`: so many of the names that people said instead are told, None for all.
    """
    for name, count in summary.labels.items():
        said = str(LabelName(name, language, WIDTH, plain))
        blanks = {"name": said if plain else f"**{said}**"}
        if count.instead:
            blanks["others"] = language.listed(
                f"{LabelName(other, language, WIDTH, plain)} ({language.number(times)})"
                for other, times in count.instead.most_common(others)
            )
        yield rate(count, language, NAME_WITH_OTHERS if count.instead else NAME, **blanks)
