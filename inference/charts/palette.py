"""The colours of charts, which stand on a dark card of their own, whatever theme Discord has.

Letters that are read on white and on Discord's greys alike do not exist: none has a contrast of 4.5 to both.
On the card each text has 4.5 at least and each shape 3, which a test measures. The colours of certainty are
those of the answers; neighbours also differ in lightness, for those who cannot tell red from green.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from inference.charts.sheet import Tone

Colour = tuple[int, int, int]

MIDDLE_LUMINANCE: Final = 0.18
"""Of what is lighter than this, dark letters stand out more than light ones."""

CARD: Final[Colour] = (0x1F, 0x20, 0x24)
EDGE: Final[Colour] = (0x3A, 0x3C, 0x43)
GRID: Final[Colour] = (0x33, 0x35, 0x3B)
INK: Final[Colour] = (0xF2, 0xF3, 0xF5)
MUTED: Final[Colour] = (0xB0, 0xB5, 0xBD)
COLUMN: Final[Colour] = (0x7B, 0x86, 0xF8)
TONES: Final[Mapping[Tone, Colour]] = {
    "good": (0x4C, 0xC3, 0x9A),
    "fair": (0x7B, 0x86, 0xF8),
    "faint": (0xB9, 0xC2, 0xCC),
    "fainter": (0x77, 0x80, 0x8C),
    "bad": (0xF0, 0x8A, 0x4B),
}


def between(one: Colour, other: Colour, share: float) -> Colour:
    """Return the colour that is `share`, 0 to 1, of the way from one to the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def ink_on(colour: Colour) -> Colour:
    """Return the colour of letters that are read best on `colour`: light or dark."""
    red, green, blue = ((value / 255) ** 2.2 for value in colour)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return INK if luminance < MIDDLE_LUMINANCE else CARD
