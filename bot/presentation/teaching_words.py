"""What people are told who teach, or may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.i18n import N_, Language
from bot.presentation.plain_text import neutral
from bot.store import GuildSettings
from bot.store.taught_results import (
    MOST_EXAMPLES,
    MOST_LABELS,
    AlreadyTaught,
    LastChange,
    NameTaken,
    NoSuchLabel,
    NothingToUndo,
    TooManyExamples,
    TooManyLabels,
)
from inference.knowledge.results import ENOUGH

WIDTH: Final = 50
ROLES: Final = 20
"""Roles that are named to somebody who has none of them."""
NONE_OF_THESE = N_("none of these")
ONLY_IN_SERVERS = N_("What I'm taught belongs to a server, so I can be taught only there.")


def label_words(name: str | None, language: Language) -> str:
    """Return a label's name in bold, or without one "none of these"."""
    return f"**{neutral(name, WIDTH)}**" if name else f"“{language.gettext(NONE_OF_THESE)}”"


def not_a_teacher(settings: GuildSettings, language: Language) -> str:
    """Return who may teach, for somebody who may not."""
    if not settings.teachers:
        return language.gettext(
            N_("To teach me you need Manage Server. Moderators can let roles do it: `/settings quotas`.")
        )
    roles = language.listed((f"<@&{role}>" for role in settings.teachers[:ROLES]), either=True)
    sentence = N_("To teach me you need Manage Server or one of these roles: {roles}.")
    return language.gettext(sentence).format(roles=roles)


def learned(name: str | None, added: int, total: int, known: int, language: Language) -> list[str]:
    """Return what was learned of a label: how many examples are new, how many it has, how many were known."""
    label = label_words(name, language)
    lines = [
        language.ngettext(
            "I learned {label} from {count} picture.", "I learned {label} from {count} pictures.", added
        ).format(label=label, count=language.number(added))
    ]
    if known:
        lines.append(
            language.ngettext(
                "{count} more I had been taught already.", "{count} more I had been taught already.", known
            ).format(count=language.number(known))
        )
    if name is None:
        return lines
    if total < ENOUGH:
        few = language.gettext(
            N_("It has {total} of the {enough} examples that it needs; until then I'm often wrong.")
        )
        lines.append(few.format(total=language.number(total), enough=language.number(ENOUGH)))
    else:
        enough = language.ngettext("It has {total} example now.", "It has {total} examples now.", total)
        lines.append(enough.format(total=language.number(total)))
    return lines


def _already(error: AlreadyTaught, language: Language) -> str:
    sentence = N_(
        "I was taught that already: it is an example of {label}. To take it out: `/labels examples`."
    )
    return language.gettext(sentence).format(label=label_words(error.name, language))


def _too_many_labels(_: TooManyLabels, language: Language) -> str:
    sentence = N_(
        "This server has {most} labels, and more I can't take. Remove or merge some first: `/labels show`."
    )
    return language.gettext(sentence).format(most=language.number(MOST_LABELS))


def _too_many_examples(error: TooManyExamples, language: Language) -> str:
    sentence = N_(
        "{label} has {count} examples, and {most} are the most. Remove some first: `/labels examples`."
    )
    return language.gettext(sentence).format(
        label=label_words(error.name, language),
        count=language.number(error.count),
        most=language.number(MOST_EXAMPLES),
    )


def _taken(error: NameTaken, language: Language) -> str:
    sentence = N_("There is a label {label} already. To make the two one: `/labels merge`.")
    return language.gettext(sentence).format(label=label_words(error.name, language))


def named_none(typed: str, language: Language) -> bool:
    """Tell whether somebody typed "none of these", in English or in their language."""
    return typed.strip().casefold() in {NONE_OF_THESE.casefold(), language.gettext(NONE_OF_THESE).casefold()}


_UNDONE = {
    "teach": N_("Undone: I've forgotten the pictures that I was taught last."),
    "rename": N_("Undone: the word is called {label} again."),
    "merge": N_("Undone: the two words that were merged are two again."),
    "remove": N_("Undone: what was removed is back."),
    "import": N_("Undone: I've forgotten what the file brought."),
}


def undone(last: LastChange, language: Language) -> str:
    """Return what an undo took back."""
    label = label_words(last.detail.get("name"), language)
    return language.gettext(_UNDONE[last.what]).format(label=label)


TEACHING_SENTENCES: Final[Mapping[type[Exception], str | Callable[[Any, Language], str]]] = {
    AlreadyTaught: _already,
    TooManyLabels: _too_many_labels,
    TooManyExamples: _too_many_examples,
    NameTaken: _taken,
    NoSuchLabel: N_("That label is not there (any more). See which there are: `/labels show`."),
    NothingToUndo: N_("There is nothing left to undo: I keep the last 20 changes, for 30 days."),
}
"""Why something was not taught or changed, by what the store raises."""
