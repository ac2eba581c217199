"""A panel of small pictures with words below each: a contact sheet."""

from __future__ import annotations

import math

from PIL import Image

from inference.charts.canvas import Box, Canvas
from inference.charts.palette import INK, MUTED, TONES
from inference.charts.sheet import ThumbnailsPanel

SIZE, LINE, GAP = 10.5, 14.0, 10.0
NOTHING = 12.0


def draw_thumbnails(canvas: Canvas, box: Box, panel: ThumbnailsPanel, _locale: str) -> None:
    """Draw the pictures in rows, each as large as its place allows and uncut, below the panel's title."""
    face = canvas.typeface
    if not panel.thumbnails:
        canvas.text(box.left, box.top + NOTHING, face.legible(panel.nothing), NOTHING, colour=MUTED)
        return
    rows = math.ceil(len(panel.thumbnails) / panel.columns)
    width = (box.width - GAP * (panel.columns - 1)) / panel.columns
    height = (box.height - GAP * (rows - 1)) / rows
    words = LINE * max(len(thumbnail.lines) for thumbnail in panel.thumbnails)
    for index, thumbnail in enumerate(panel.thumbnails):
        row, column = divmod(index, panel.columns)
        left, top = box.left + (width + GAP) * column, box.top + (height + GAP) * row
        picture = Image.frombytes("RGB", thumbnail.size, thumbnail.pixels)
        scale = min(width / picture.width, (height - words) / picture.height)
        wide, high = picture.width * scale, picture.height * scale
        lower = top + height - words
        canvas.picture(
            Box(left + (width - wide) / 2, lower - high, left + (width + wide) / 2, lower), picture
        )
        for line, (text, tone) in enumerate(thumbnail.lines):
            colour = TONES[tone] if tone else INK
            fitted = face.fitted(face.legible(text), SIZE, width)
            canvas.text(
                left + width / 2, lower + LINE * (line + 0.85), fitted, SIZE, colour=colour, anchor="m"
            )
