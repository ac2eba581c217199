"""Draw in points: rectangles with round corners, lines and text. Colours are those of `palette`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Literal, NamedTuple

from PIL import Image, ImageDraw

from inference.charts.palette import CARD, EDGE, INK
from inference.charts.typeface import Typeface

PIXELS = 3
"""Of the PNG for one point, so that it is sharp on a phone's screen and when it is enlarged."""
FINER = 2
"""It is drawn so many times larger than that, and then reduced: Pillow's own shapes have jagged edges."""
COLOURS = 256
"""Of the PNG, which makes it a quarter as large: edges of letters are shades of few colours."""
CORNER = 10.0
Anchor = Literal["l", "m", "r"]


class Box(NamedTuple):
    """A rectangle: left, top, right and bottom edge, in points from the picture's left top corner."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


class Canvas:
    """A card with round corners. What is outside of them is transparent, so it stands on any background."""

    def __init__(self, width: float, height: float) -> None:
        scale = PIXELS * FINER
        self.typeface = Typeface(scale)
        self._scale = scale
        self._image = Image.new("RGBA", (round(width * scale), round(height * scale)), (*EDGE, 0))
        self._draw = ImageDraw.Draw(self._image)
        self._has_picture = False
        self.block(Box(0, 0, width, height), EDGE, corner=CORNER)
        self.block(Box(1, 1, width - 1, height - 1), CARD, corner=CORNER - 1)

    def block(self, box: Box, colour: tuple[int, int, int], *, corner: float = 0.0) -> None:
        """Fill a rectangle; `corner` is the radius of its corners."""
        left, top, right, bottom = (round(edge * self._scale) for edge in box)
        if right > left and bottom > top:
            radius = min(round(corner * self._scale), (right - left) // 2, (bottom - top) // 2)
            self._draw.rounded_rectangle((left, top, right - 1, bottom - 1), radius, fill=colour)

    def line(self, left: float, right: float, at: float, colour: tuple[int, int, int]) -> None:
        """Draw a horizontal line, one point wide."""
        self.block(Box(left, at - 0.5, right, at + 0.5), colour)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        colour: tuple[int, int, int] = INK,
        anchor: Anchor = "l",
        bold: bool = False,
    ) -> None:
        """Write one line at `x`, its left edge, middle or right edge; `y` is where the letters stand on."""
        font = self.typeface.font(size, text, bold=bold)
        self._draw.text((x * self._scale, y * self._scale), text, colour, font, anchor=f"{anchor}s")

    def upward_text(
        self, x: float, y: float, text: str, size: float, *, colour: tuple[int, int, int] = INK
    ) -> None:
        """Write one line from the bottom to the top: it begins at `y`, and its letters stand on `x`."""
        font = self.typeface.font(size, text)
        left, top, right, bottom = font.getbbox(text, anchor="ls")
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", (round(right - left), round(bottom - top)))
        ImageDraw.Draw(mask).text((-left, -top), text, 255, font, anchor="ls")
        upward = mask.transpose(Image.Transpose.ROTATE_90)
        place = (round(x * self._scale + top), round(y * self._scale - left - upward.height))
        self._image.paste((*colour, 255), place, upward)

    def sloping_line(
        self, points: Sequence[tuple[float, float]], colour: tuple[int, int, int], *, width: float = 1.75
    ) -> None:
        """Draw a line through points; of a single one, a dot."""
        pixels = [(x * self._scale, y * self._scale) for x, y in points]
        if len(pixels) > 1:
            self._draw.line(pixels, fill=colour, width=round(width * self._scale), joint="curve")
        radius = width * self._scale / 2
        for x, y in (pixels[0], pixels[-1]):
            self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    def picture(self, box: Box, picture: Image.Image) -> None:
        """Draw a picture, RGB, so that it fills the rectangle."""
        left, top, right, bottom = (round(edge * self._scale) for edge in box)
        size = (max(right - left, 1), max(bottom - top, 1))
        self._has_picture = True
        self._image.paste(picture.resize(size, Image.Resampling.BICUBIC), (left, top))

    def png(self) -> bytes:
        """Return what was drawn, in few colours unless there is a picture in it."""
        size = (self._image.width // FINER, self._image.height // FINER)
        reduced, file = self._image.resize(size, Image.Resampling.LANCZOS), io.BytesIO()
        if self._has_picture:
            reduced.save(file, "PNG")
            return file.getvalue()
        reduced.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
            file, "PNG"
        )
        return file.getvalue()
