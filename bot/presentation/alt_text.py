"""Describe a picture in one sentence for those who cannot see it, as a person would write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.i18n import N_, Language
from bot.presentation.label_name import LabelName
from bot.presentation.naming import Certainty, Finding, beside, is_called_otherwise
from inference.results import PictureKind

WIDTH = 100
"""Characters of a name."""
WITH_CLASS, WITH_LIKELY_CLASS = "with class", "with likely class"
"""What is added to an everyday name that is sure: the class, which is sure too, or is likely."""

# Each is a whole sentence, because how its parts agree differs from language to language.
_SENTENCES: Final[Mapping[PictureKind | None, Mapping[Certainty | str, str]]] = {
    None: {
        Certainty.SURE: N_("Picture of {label:indefinite}."),
        WITH_CLASS: N_("Picture of {everyday:indefinite}, {label:indefinite}."),
        WITH_LIKELY_CLASS: N_("Picture of {everyday:indefinite}, probably {label:indefinite}."),
        Certainty.PROBABLY: N_("Picture, probably of {label:indefinite}."),
        Certainty.MAYBE: N_("Picture, possibly of {label:indefinite}."),
        Certainty.NOT_SURE: N_("Picture of something hard to make out, maybe {label:indefinite}."),
    },
    "photo": {
        Certainty.SURE: N_("Photo of {label:indefinite}."),
        WITH_CLASS: N_("Photo of {everyday:indefinite}, {label:indefinite}."),
        WITH_LIKELY_CLASS: N_("Photo of {everyday:indefinite}, probably {label:indefinite}."),
        Certainty.PROBABLY: N_("Photo, probably of {label:indefinite}."),
        Certainty.MAYBE: N_("Photo, possibly of {label:indefinite}."),
        Certainty.NOT_SURE: N_("Photo of something hard to make out, maybe {label:indefinite}."),
    },
    "drawing": {
        Certainty.SURE: N_("Drawing of {label:indefinite}."),
        WITH_CLASS: N_("Drawing of {everyday:indefinite}, {label:indefinite}."),
        WITH_LIKELY_CLASS: N_("Drawing of {everyday:indefinite}, probably {label:indefinite}."),
        Certainty.PROBABLY: N_("Drawing, probably of {label:indefinite}."),
        Certainty.MAYBE: N_("Drawing, possibly of {label:indefinite}."),
        Certainty.NOT_SURE: N_("Drawing of something hard to make out, maybe {label:indefinite}."),
    },
    "screenshot": {
        Certainty.SURE: N_("Screenshot that shows {label:indefinite}."),
        WITH_CLASS: N_("Screenshot that shows {everyday:indefinite}, {label:indefinite}."),
        WITH_LIKELY_CLASS: N_("Screenshot that shows {everyday:indefinite}, probably {label:indefinite}."),
        Certainty.PROBABLY: N_("Screenshot that probably shows {label:indefinite}."),
        Certainty.MAYBE: N_("Screenshot that possibly shows {label:indefinite}."),
        Certainty.NOT_SURE: N_("Screenshot of something hard to make out, maybe {label:indefinite}."),
    },
}
"""By what kind of picture it is (None: not known), and by how surely it is named."""


def alt_text(finding: Finding, kind: PictureKind | None, language: Language) -> str:
    """Return a sentence without markdown, on one line."""
    sentences, label, everyday = _SENTENCES[kind], finding.said, ""
    which: Certainty | str = finding.certainty
    if which is Certainty.SURE:
        finer = finding.finer
        if finer is None:
            everyday = "" if finding.headline else beside(finding.labels[0], language)
            which = WITH_CLASS if everyday else which
        elif _is_likely(finer.probability) and is_called_otherwise(finer.name, finding.said, language):
            everyday, label, which = finding.said, finer.name, WITH_LIKELY_CLASS
    return language.gettext(sentences[which]).format(
        label=LabelName(label, language, WIDTH, plain=True),
        everyday=LabelName(everyday, language, WIDTH, plain=True),
    )


def _is_likely(probability: float) -> bool:
    return Certainty.of(probability, 0) >= Certainty.PROBABLY
