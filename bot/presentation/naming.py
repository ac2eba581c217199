"""Decide what a picture is called: the everyday name or the class's own, how surely, and in which words."""

from __future__ import annotations

import enum
import math
import re
from dataclasses import dataclass

from bot.i18n import N_, Language
from bot.presentation.articles import article_of
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

_MARKUP = re.compile(r"([\\*_~|`<\[/])")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\s]+")


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


def beside(label: Label) -> str:
    """Return the everyday name of a label, where a person would miss it: "dog" for a Blenheim spaniel."""
    if label.coarse is None or label.coarse.casefold() in label.name.casefold():
        return ""
    return label.coarse


# One sentence each for a name that takes "a", one that takes "an", and one that takes no article.
_GUESSES = {
    Certainty.NOT_SURE: {
        "a": N_("I'm not sure. Maybe a **{label}**?"),
        "an": N_("I'm not sure. Maybe an **{label}**?"),
        "-": N_("I'm not sure. Maybe **{label}**?"),
    },
    Certainty.MAYBE: {
        "a": N_("Maybe a **{label}**?"),
        "an": N_("Maybe an **{label}**?"),
        "-": N_("Maybe **{label}**?"),
    },
    Certainty.PROBABLY: {
        "a": N_("Probably a **{label}**."),
        "an": N_("Probably an **{label}**."),
        "-": N_("Probably **{label}**."),
    },
}
_ALT_TEXTS = {
    Certainty.NOT_SURE: {
        "a": N_("Picture. I can't tell what it shows, maybe a {label}."),
        "an": N_("Picture. I can't tell what it shows, maybe an {label}."),
        "-": N_("Picture. I can't tell what it shows, maybe {label}."),
    },
    Certainty.MAYBE: {
        "a": N_("Picture, possibly of a {label}."),
        "an": N_("Picture, possibly of an {label}."),
        "-": N_("Picture, possibly of {label}."),
    },
    Certainty.PROBABLY: {
        "a": N_("Picture, probably of a {label}."),
        "an": N_("Picture, probably of an {label}."),
        "-": N_("Picture, probably of {label}."),
    },
    Certainty.SURE: {
        "a": N_("Picture of a {label}."),
        "an": N_("Picture of an {label}."),
        "-": N_("Picture of {label}."),
    },
}
_IT_IS = {"a": N_("Probably a {label}."), "an": N_("Probably an {label}."), "-": N_("Probably {label}.")}


def guess(finding: Finding, language: Language, width: int) -> str:
    """Return what is said of a picture in doubt, in Discord's markdown; its certainty is not `SURE`."""

    def said(certainty: Certainty, name: str) -> str:
        sentence = language.gettext(_GUESSES[certainty][article_of(name)])
        return sentence.format(label=neutral(name, width))

    sentence, finer = said(finding.certainty, finding.said), finding.finer
    return f"{sentence} {said(Certainty.MAYBE, finer.name)}" if finer else sentence


def alt_text(finding: Finding, language: Language) -> str:
    """Return a description of the picture for those who cannot see it; plain text, its names on one line."""

    def said(sentences: dict[str, str], name: str) -> str:
        return language.gettext(sentences[article_of(name)]).format(label=shorten(name, 100))

    sentence, finer = said(_ALT_TEXTS[finding.certainty], finding.said), finding.finer
    likely = finer and Certainty.of(finer.probability, MAYBE) >= Certainty.PROBABLY
    return f"{sentence} {said(_IT_IS, finer.name)}" if finer and likely else sentence


def neutral(text: str, width: int) -> str:
    """Return `text` as one line of at most `width` characters, in which no markdown or mention works."""
    return _MARKUP.sub(r"\\\1", shorten(text, width)).replace("@", "@\u200b")


def shorten(text: str, width: int) -> str:
    """Return `text` as one line of at most `width` characters."""
    line = _UNSEEN.sub(" ", text).strip()
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"
