"""What a picture is called: the everyday name or the class's own, how surely, and in which words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.i18n import N_, Language
from inference.results import Classification, Coarse, Label

__all__ = ["SURE", "Finding", "alt_text", "beside", "guess", "neutral", "shorten"]

SURE = 0.8
"""From this probability on an answer is said without a "probably"."""
LIKELY = 0.5
"""From this probability on a name is worth a "probably" beside its everyday name."""
CLEARLY = 0.1
"""By so much an everyday name must be likelier than the best class, to be said in its place."""

_MARKUP = re.compile(r"([\\*_~|`<\[/])")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\s]+")
_SOUNDS_LIKE_A_VOWEL = re.compile(r"(?!uni|eu|one\b|ura)[aeiou]|hou?r|heir|x-", re.IGNORECASE)
_UNCOUNTED = re.compile(r"(bread|corn|hay|potato|guacamole|broccoli|toilet tissue|sunglasses|trunks)$")


@dataclass(frozen=True, slots=True)
class Finding:
    """The names of one image, as a person is told them.

    `labels` are ranked, at least one. `coarse` is the likeliest everyday name, where it is likely enough to
    be said at all. `doubtful`: not even the best label is.
    """

    labels: tuple[Label, ...]
    coarse: Coarse | None
    doubtful: bool

    @classmethod
    def of(cls, result: Classification, min_confidence: float) -> Finding:
        """What of a classification is said, if nothing under `min_confidence` is."""
        coarse = result.coarse[0] if result.coarse else None
        if coarse and coarse.probability < min_confidence:
            coarse = None
        return cls(result.labels, coarse, result.labels[0].probability < min_confidence)

    @property
    def headline(self) -> Coarse | None:
        """The everyday name, where it says more than the best label: several of its classes are likely."""
        best = self.labels[0].probability
        clearly = self.coarse is not None and self.coarse.probability >= best + CLEARLY
        return self.coarse if clearly and (best < SURE or self.doubtful) else None

    @property
    def said(self) -> str:
        """The one name that the answer puts first."""
        return self.headline.name if self.headline else self.labels[0].name

    @property
    def probability(self) -> float:
        """Of that name."""
        return (self.headline or self.labels[0]).probability

    @property
    def finer(self) -> Label | None:
        """The best label of the headline's classes, where there is a headline."""
        headline = self.headline
        return next((label for label in self.labels if headline and label.coarse == headline.name), None)


def beside(label: Label) -> str:
    """The everyday name of a label, where a person would miss it: "dog" for a Blenheim spaniel."""
    if label.coarse is None or label.coarse.casefold() in label.name.casefold():
        return ""
    return label.coarse


# One sentence each for a name that takes "a", one that takes "an", and one that cannot be counted.
_UNSURE = (
    N_("I'm not sure. Maybe a **{label}**?"),
    N_("I'm not sure. Maybe an **{label}**?"),
    N_("I'm not sure. Maybe some **{label}**?"),
)
_KNOWN = (N_("A **{label}**."), N_("An **{label}**."), N_("Some **{label}**."))
_MAYBE = (N_("Maybe a **{label}**?"), N_("Maybe an **{label}**?"), N_("Maybe some **{label}**?"))
_OF = (N_("Picture of a {label}."), N_("Picture of an {label}."), N_("Picture of some {label}."))
_PROBABLY = (
    N_("Picture, probably of a {label}."),
    N_("Picture, probably of an {label}."),
    N_("Picture, probably of some {label}."),
)
_POSSIBLY = (
    N_("Picture, possibly of a {label}."),
    N_("Picture, possibly of an {label}."),
    N_("Picture, possibly of some {label}."),
)
_IT_IS = (N_("Probably a {label}."), N_("Probably an {label}."), N_("Probably some {label}."))


def guess(finding: Finding, language: Language, width: int) -> str:
    """What is said of a picture in doubt, in Discord's markdown."""

    def said(sentences: tuple[str, str, str], name: str) -> str:
        return language.gettext(_for(name, sentences)).format(label=neutral(name, width))

    if finding.headline is None:
        return said(_UNSURE, finding.labels[0].name)
    known = said(_KNOWN, finding.headline.name)
    return f"{known} {said(_MAYBE, finding.finer.name)}" if finding.finer else known


def alt_text(finding: Finding, language: Language) -> str:
    """What describes the picture to those who cannot see it; plain text, its names on one line."""

    def said(sentences: tuple[str, str, str], name: str) -> str:
        return language.gettext(_for(name, sentences)).format(label=shorten(name, 100))

    if finding.doubtful and not finding.headline:
        return said(_POSSIBLY, finding.said)
    if finding.probability < SURE:
        return said(_PROBABLY, finding.said)
    sure, finer = said(_OF, finding.said), finding.finer
    return f"{sure} {said(_IT_IS, finer.name)}" if finer and finer.probability >= LIKELY else sure


def neutral(text: str, width: int) -> str:
    """`text` as one line of at most `width` visible characters, without working markdown, mention or link."""
    return _MARKUP.sub(r"\\\1", shorten(text, width)).replace("@", "@\u200b")


def shorten(text: str, width: int) -> str:
    """`text` as one line of at most `width` characters."""
    line = _UNSEEN.sub(" ", text).strip()
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def _for(name: str, sentences: tuple[str, str, str]) -> str:
    """The sentence for an English name; a language without articles says the same in all three."""
    if _UNCOUNTED.search(name):
        return sentences[2]
    return sentences[1] if _SOUNDS_LIKE_A_VOWEL.match(name) else sentences[0]
