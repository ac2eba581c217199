"""The fonts of the charts, which come with Whatsit: the same on every machine, German and Japanese included.

They are parts of Noto Sans JP and of Noto Sans (see `fonts/README.md`). Fonts of the system are not looked
for: the result would differ from machine to machine, and a font is a program of a kind, which this process
need not take from just anybody. What no font has is shown as a question mark, never as a box.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from PIL import ImageFont

FOLDER = Path(__file__).with_name("fonts")
REGULAR = (FOLDER / "NotoSansJP-Regular.ttf", FOLDER / "NotoSans-Regular.ttf")
BOLD = (FOLDER / "NotoSansJP-Bold.ttf", FOLDER / "NotoSans-Bold.ttf")
"""A text is written in the first that has all its characters."""
MISSING = "?"
NO_CHARACTER = "\uffff"
"""Unicode says that it is none, so what is drawn for it is what is drawn for all that is missing."""
PROBE_SIZE = 24


class Typeface:
    """Finds fonts and measures texts. Sizes and widths are in points, of which `scale` pixels make one."""

    def __init__(self, scale: float) -> None:
        self._scale = scale

    def font(self, size: float, text: str, *, bold: bool = False) -> ImageFont.FreeTypeFont:
        """Return the font for a text: a bold one only if that has every character of it."""
        candidates = (*BOLD, *REGULAR) if bold else REGULAR
        return _font(min(candidates, key=lambda file: _lacking(file, text)), round(size * self._scale))

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Return how wide a text is."""
        return self.font(size, text, bold=bold).getlength(text) / self._scale

    def legible(self, text: str) -> str:
        """Return the text on one line, with a question mark for each character that cannot be drawn."""
        line = " ".join(unicodedata.normalize("NFC", text).split())
        file = min(REGULAR, key=lambda file: _lacking(file, line))
        return "".join(each if _has(file, each) else MISSING for each in line)

    def fitted(self, text: str, size: float, width: float) -> str:
        """Return as much of a text as fits into `width`, with an ellipsis where something is cut."""
        if self.width(text, size) <= width:
            return text
        cut = text
        while cut and self.width(f"{cut}…", size) > width:
            cut = cut[:-1].rstrip()
        return f"{cut}…"


@cache
def _font(file: Path, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, pixels, layout_engine=ImageFont.Layout.BASIC)


def _lacking(file: Path, text: str) -> int:
    """How many characters of a text a font does not have."""
    return sum(not _has(file, character) for character in text)


@cache
def _has(file: Path, character: str) -> bool:
    """Whether a font has a character: else it draws the box that stands for all that it lacks."""
    if character.isspace():
        return True
    font = _font(file, PROBE_SIZE)
    return bytes(font.getmask(character)) != bytes(font.getmask(NO_CHARACTER))
