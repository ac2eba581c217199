"""Tell a screenshot by the name that a system gives its file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from bot import i18n
from bot.i18n import N_
from inference.results import PictureKind

BEGINNINGS = N_("Screenshot|Screen Shot|Screen Capture")
"""How the names of screenshots begin in a language, on all systems; `|` stands between them."""
_SPOILER = "SPOILER_"


def kind_of(filename: str, told: PictureKind | None) -> PictureKind | None:
    """Return how a picture was made: as its metadata `told`, or by its file's name; None if neither tells."""
    return told or ("screenshot" if _is_screenshot(filename) else None)


def _is_screenshot(filename: str) -> bool:
    # Discord has an underscore for each space, and macOS writes accents as characters of their own.
    name = unicodedata.normalize("NFC", filename).removeprefix(_SPOILER).replace("_", " ").casefold()
    return any(re.match(rf"{re.escape(each)}(?![^\W\d])", name) for each in _beginnings())


def _beginnings() -> Iterator[str]:
    for language in map(i18n.languages.of, i18n.languages):
        yield from (each.casefold() for each in language.gettext(BEGINNINGS).split("|"))
