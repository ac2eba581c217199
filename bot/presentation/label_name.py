"""A thing by its name, as the sentences of a language say it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.i18n import Language
from bot.presentation.plain_text import neutral, shorten


@dataclass(frozen=True, slots=True)
class LabelName:
    """A label or an everyday name, to be put into a sentence that says which form it needs.

    `"Maybe {label:indefinite}?".format(label=LabelName("tench", ENGLISH, 80))` is "Maybe a tench?". The forms
    are the columns of `config/labels/<language>.tsv`; without one it is the word alone. It takes at most
    `width` characters, and markdown and mentions do not work in it. With `plain` it is for where there is no
    markdown, such as a menu.
    """

    name: str
    language: Language
    width: int
    plain: bool = False

    def __format__(self, form: str) -> str:
        said = self.language.labels.form(self.name, form)
        return shorten(said, self.width) if self.plain else neutral(said, self.width)

    def __str__(self) -> str:
        return format(self)
