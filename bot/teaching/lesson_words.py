"""What somebody is told about what they taught, or why nothing was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.i18n import N_, Language
from bot.presentation.errors import sentence
from bot.presentation.plain_text import neutral
from bot.presentation.teaching_words import TEACHING_SENTENCES, learned
from bot.store import StoreError
from bot.teaching.label_file import BadLabelFile, LabelFileOfOtherModel
from bot.teaching.teacher import (
    LabelNeedsName,
    Lesson,
    ModelCannotBeTaught,
    PosterLeftAlone,
    TeachingOverQuota,
)
from config.model_titles import title_of
from config.settings import Limits


def lesson_words(name: str | None, lesson: Lesson, language: Language, limits: Limits) -> str:
    """Return what was learned and what was not, a line each."""
    lines = []
    if taught := lesson.taught:
        lines += learned(name, taught.added, taught.total, taught.known, language)
    for filename, error in lesson.failed:
        lines.append(f"{neutral(filename, 50)}: {sentence(error, language, limits)}")
    if over := lesson.grant.line(language):
        lines.append(over)
    return "\n".join(lines)


def _no_head(error: ModelCannotBeTaught, language: Language) -> str:
    said = N_("{model}, the model I use here, can't be taught. Choose another one: `/settings what`.")
    return language.gettext(said).format(model=neutral(title_of(error.model), 60))


def _other_model(error: LabelFileOfOtherModel, language: Language) -> str:
    said = N_(
        "That file is from {model} as it ran elsewhere, and what one model sees another can't compare. "
        "Teach me anew here."
    )
    return language.gettext(said).format(model=neutral(title_of(error.model), 60))


def _left_alone(error: PosterLeftAlone, language: Language) -> str:
    if error.own:
        return language.gettext(
            N_(
                "You asked me not to look at your pictures, so I can't be taught with them. You can change "
                "that in `/preferences`."
            )
        )
    return language.gettext(
        N_("The poster has asked me not to look at their pictures, so I can't be taught with them.")
    )


OUTDATED = N_("That form is out of date. Open a new one.")
LESSON_SENTENCES: Final[Mapping[type[Exception], str | Callable[[Any, Language], str]]] = {
    **TEACHING_SENTENCES,
    ModelCannotBeTaught: _no_head,
    PosterLeftAlone: _left_alone,
    TeachingOverQuota: lambda error, language: error.grant.line(language),
    BadLabelFile: N_("I can't learn from that file. Use one from `/labels export`, as it is."),
    LabelFileOfOtherModel: _other_model,
    LabelNeedsName: N_("A label needs a name."),
    StoreError: N_(
        "I can't reach my database right now, so nothing was learned. Try again in a minute; if it fails "
        "again, tell the bot's owner."
    ),
}
"""Why nothing was taught."""
