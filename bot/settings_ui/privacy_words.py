"""What is kept of a member, in plain words: a line for each table of the store that knows people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from bot.i18n import Language
from bot.store import Retention

Line = Callable[[Language, int, Retention], str]
"""Says how many rows of one table are a member's, what they are, and for how long they are kept."""


def kept_lines(language: Language, counts: Mapping[str, int], retention: Retention) -> list[str]:
    """Return a line for each table that holds something of a member; `counts` is from `PersonalData`."""
    return [KEPT[table](language, count, retention) for table, count in counts.items() if count]


def _preferences(language: Language, count: int, _retention: Retention) -> str:
    return language.ngettext(
        "{count} preference that you set, until you change it.",
        "{count} preferences that you set, until you change them.",
        count,
    ).format(count=count)


def _answers(language: Language, count: int, retention: Retention) -> str:
    return language.ngettext(
        "{count} answer you got from me: the ids of the messages, so that it goes when your picture does. "
        "{days} days.",
        "{count} answers you got from me: the ids of the messages, so that they go when your pictures do. "
        "{days} days.",
        count,
    ).format(count=count, days=_days(retention.answers))


def _opinions(language: Language, count: int, retention: Retention) -> str:
    return language.ngettext(
        "{count} time you told me whether I was right, and what you said it was. {days} days.",
        "{count} times you told me whether I was right, and what you said it was. {days} days.",
        count,
    ).format(count=count, days=_days(retention.feedback))


def _open_messages(language: Language, count: int, _retention: Retention) -> str:
    return language.ngettext(
        "{count} message I'm answering right now: its id, for an hour at most.",
        "{count} messages I'm answering right now: their ids, for an hour at most.",
        count,
    ).format(count=count)


def _open_commands(language: Language, count: int, _retention: Retention) -> str:
    return language.ngettext(
        "{count} command I'm answering right now: where its pictures are, for 15 minutes at most.",
        "{count} commands I'm answering right now: where their pictures are, for 15 minutes at most.",
        count,
    ).format(count=count)


def _examples(language: Language, count: int, _retention: Retention) -> str:
    return language.ngettext(
        "The fingerprint of {count} picture of yours that somebody taught me a word with, and the message it "
        "is in; not the picture. Until you have it forgotten.",
        "The fingerprints of {count} pictures of yours that somebody taught me words with, and the messages "
        "they are in; not the pictures. Until you have them forgotten.",
        count,
    ).format(count=count)


def _indexed(language: Language, count: int, _retention: Retention) -> str:
    return language.ngettext(
        "The fingerprint of {count} picture that you posted where a server lets pictures be found again, "
        "what I called it, and the message it is in; not the picture. Until that message is deleted, the "
        "server no longer wants it, or you have it forgotten.",
        "The fingerprints of {count} pictures that you posted where a server lets pictures be found again, "
        "what I called them, and the messages they are in; not the pictures. Until those messages are "
        "deleted, the server no longer wants it, or you have them forgotten.",
        count,
    ).format(count=count)


def _days(kept: timedelta) -> int:
    return kept.days


KEPT: Final[Mapping[str, Line]] = {
    "answer": _answers,
    "feedback": _opinions,
    "indexed_image": _indexed,
    "member_preference": _preferences,
    "open_interaction": _open_commands,
    "open_message": _open_messages,
    "taught_example": _examples,
}
"""By the table's name. A new table with a column `user_id` needs its line here."""
