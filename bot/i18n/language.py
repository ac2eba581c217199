"""One language: its sentences, what it calls things, and how it writes numbers and lists."""

from __future__ import annotations

from collections.abc import Iterable
from gettext import NullTranslations
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from bot.i18n.label_table import LabelTable


def N_(sentence: str) -> str:  # noqa: N802 - gettext's own name for "translate this later"
    """Mark a sentence that is kept in a table and translated when it is shown."""
    return sentence


def NC_(context: str, word: str) -> str:  # noqa: N802, ARG001 - the context is for whoever translates
    """Mark a word that means something else in other places, and is translated with `pgettext`."""
    return word


OPTION: Final = "option"
"""The context in which the names of commands' options are translated: "more" is not that of a sentence."""
_TWO_SENTENCES: Final = N_("{first} {second}")


class Language:
    """A language by its name, which is Discord's for the locale: `de`, `pt-BR`.

    `labels` is what it calls things. `locale` is Babel's, for whoever formats more than these methods do.
    """

    def __init__(self, name: str, sentences: NullTranslations, labels: LabelTable) -> None:
        self.name = name
        self.labels = labels
        self.locale = _parsed(name) or Locale("en")
        self._sentences = sentences
        # Babel reads a locale's file when it is first needed: now, and not in the middle of an answer.
        self.widest_percent: Final = len(self.percent(1))
        """Characters of 100 %."""

    def __repr__(self) -> str:
        return f"<Language {self.name}>"

    @property
    def own_name(self) -> str:
        """What its speakers call it: "日本語"."""
        known = _parsed(self.name)
        return (known and known.get_display_name()) or self.name

    def gettext(self, sentence: str) -> str:
        """Return the sentence in this language, or itself if there is no translation."""
        return self._sentences.gettext(sentence)

    def pgettext(self, context: str, word: str) -> str:
        """Return a word in this language, as it is meant in a context."""
        return self._sentences.pgettext(context, word)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Return the sentence in the form that this language has for a number of things."""
        return self._sentences.ngettext(singular, plural, number)

    def percent(self, probability: float, decimals: int = 0) -> str:
        """Return a probability in per cent, as the language writes it: "94%", "94 %"."""
        pattern = self.locale.percent_formats[None].pattern
        if decimals:
            pattern = pattern.replace("0", f"0.{'0' * decimals}")
        # Rounded as a certainty is: `bot.presentation.naming.Certainty`.
        shown = round(100 * probability, decimals) / 100
        return format_percent(shown, pattern, self.locale)

    def number(self, value: float) -> str:
        """Return a number, of a fraction at most three digits: "10,000", "10.000"; "9.54", "9,54"."""
        return format_decimal(value if isinstance(value, int) else float(f"{value:.3g}"), locale=self.locale)

    def listed(self, items: Iterable[str], *, either: bool = False) -> str:
        """Return a list in words: "a, b, and c", "a, b und c", "a、b、c"; `either`: "a, b, or c"."""
        return format_list(list(items), "or" if either else "standard", self.locale)

    def text(self, *sentences: str) -> str:
        """Return whole sentences one after the other, those that are empty left out."""
        first, *more = [each for each in sentences if each] or [""]
        for second in more:
            # Not every language has a space there.
            first = self.gettext(_TWO_SENTENCES).format(first=first, second=second)
        return first


def _parsed(name: str) -> Locale | None:
    """Return Babel's locale; None for a language that it does not know."""
    try:
        return Locale.parse(name, sep="-")
    except (UnknownLocaleError, ValueError):
        return None
