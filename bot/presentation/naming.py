"""Decide what a picture is called: the everyday name or the class's own, how surely, and in which words."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from bot.i18n import N_, Language
from bot.presentation.label_name import LabelName
from inference.results import Classification, Coarse, Label

SURE, PROBABLY, MAYBE = 0.9, 0.7, 0.3
"""From these probabilities on a name is said outright, with a "probably", or with a "maybe".

The last is the usual `answers.min_confidence`, below which a server says "I'm not sure".

Fitted on photographs so that each word is right as often as it sounds: see the table in ARCHITECTURE.md.
"""
MORE_CLASSES = 0.05
"""What each doubling of the classes that an everyday name sums up adds to the least probability it needs.

Whatever the picture, 118 breeds of dog together get more of the probability than 3 kinds of bear.
"""


class Certainty(enum.IntEnum):
    """How surely a name is said."""

    NOT_SURE = 0
    MAYBE = 1
    PROBABLY = 2
    SURE = 3

    @classmethod
    def of(cls, probability: float, least: float) -> Certainty:
        """Return how surely to say a name of this probability that has to be `least` to be said at all.

        What counts is the whole per cent that is shown, and that a button keeps: both always say the same.
        """
        shown = round(100 * probability) / 100
        if shown < least:
            return cls.NOT_SURE
        return cls.SURE if shown >= SURE else cls.PROBABLY if shown >= PROBABLY else cls.MAYBE


@dataclass(frozen=True, slots=True)
class Finding:
    """The names of one image, as a person is told them.

    `labels` are ranked, at least one. `headline` is the everyday name of the best label, where it says more
    surely what is in the picture than that label does. `doubtful`: not even the name that is said is sure
    enough to be said without "I'm not sure".
    """

    labels: tuple[Label, ...]
    headline: Coarse | None
    doubtful: bool

    @classmethod
    def of(cls, result: Classification, min_confidence: float) -> Finding:
        """Decide what of a classification is said, if nothing under `min_confidence` is said outright."""
        best = result.labels[0]
        certainty = Certainty.of(best.probability, min_confidence)
        # Never another everyday name than that of the best label, which the first row would contradict.
        coarse = next((each for each in result.coarse if each.name == best.coarse), None)
        if coarse is None:
            return cls(result.labels, None, certainty is Certainty.NOT_SURE)
        least = min_confidence + MORE_CLASSES * math.log2(coarse.classes)
        everyday = Certainty.of(coarse.probability, least)
        likelier = certainty is everyday is Certainty.NOT_SURE and coarse.probability >= min_confidence
        headline = coarse if everyday > certainty or likelier else None
        return cls(result.labels, headline, max(everyday, certainty) is Certainty.NOT_SURE)

    @property
    def said(self) -> str:
        """The one name that the answer puts first."""
        return self.headline.name if self.headline else self.labels[0].name

    @property
    def probability(self) -> float:
        """The probability of the name that is said."""
        return (self.headline or self.labels[0]).probability

    @property
    def certainty(self) -> Certainty:
        """How surely the name is said."""
        return Certainty.NOT_SURE if self.doubtful else Certainty.of(self.probability, 0)

    @property
    def finer(self) -> Label | None:
        """The best label, where another name is said, its everyday one, and it is likely enough by itself."""
        best = self.labels[0]
        likely = Certainty.of(best.probability, MAYBE) >= Certainty.MAYBE
        return best if self.said != best.name and not self.doubtful and likely else None


def beside(label: Label, language: Language) -> str:
    """Return the everyday name of a label, where a person would miss it: "dog" for a Blenheim spaniel."""
    if label.coarse is None or _word(label.coarse, language) in _word(label.name, language):
        return ""
    return label.coarse


_GUESSES = {
    Certainty.NOT_SURE: N_("I'm not sure. Maybe **{label:indefinite}**?"),
    Certainty.MAYBE: N_("Maybe **{label:indefinite}**?"),
    Certainty.PROBABLY: N_("Probably **{label:indefinite}**."),
}
_GUESSES_IN_A_LINE = {
    Certainty.MAYBE: N_("Maybe **{label:indefinite}**? {percent}"),
    Certainty.PROBABLY: N_("Probably **{label:indefinite}** {percent}"),
}


def guess(finding: Finding, language: Language, width: int) -> str:
    """Return what is said of a picture in doubt, in Discord's markdown; its certainty is not `SURE`."""

    def said(certainty: Certainty, name: str) -> str:
        return language.gettext(_GUESSES[certainty]).format(label=LabelName(name, language, width))

    finer = finding.finer
    if finer is None or not is_called_otherwise(finer.name, finding.said, language):
        return said(finding.certainty, finding.said)
    return language.text(said(finding.certainty, finding.said), said(Certainty.MAYBE, finer.name))


def guess_in_a_line(finding: Finding, language: Language, width: int) -> str:
    """Return it in short, with its probability, for where other names follow; it is `MAYBE` or `PROBABLY`."""
    sentence = language.gettext(_GUESSES_IN_A_LINE[finding.certainty])
    return sentence.format(
        label=LabelName(finding.said, language, width), percent=language.percent(finding.probability)
    )


def is_called_otherwise(name: str, other: str, language: Language) -> bool:
    """Tell whether two names are two words in this language, too."""
    return _word(name, language) != _word(other, language)


def _word(name: str, language: Language) -> str:
    return language.labels.form(name).casefold()
