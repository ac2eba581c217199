"""A panel of a picture with a heat map over it: where the model saw what it names."""

from __future__ import annotations

from itertools import pairwise

from PIL import Image, ImageEnhance

from inference.charts.canvas import Box, Canvas
from inference.charts.palette import MUTED
from inference.charts.sheet import HeatPanel

RAMP = (
    (0x44, 0x01, 0x54),
    (0x3B, 0x52, 0x8B),
    (0x21, 0x91, 0x8C),
    (0x5E, 0xC9, 0x62),
    (0xFD, 0xE7, 0x25),
)
"""The colour map viridis, which grows evenly lighter, also for those who see colours otherwise:
https://cran.r-project.org/package=viridis (by its authors given to the public domain, CC0)."""
STRONGEST, WEAKEST = 0.75, 0.15
"""How much of a pixel is the map's colour where the map is warmest and where it is coldest."""
DIMMED = 0.35
"""Brightness of what the model did not look at."""
GREYED = 0.35
"""How much of its own colour a picture keeps under a map."""
LEGEND, SIZE = 22.0, 10.5


def draw_heat(canvas: Canvas, box: Box, panel: HeatPanel, _locale: str) -> None:
    """Draw the picture with its map as large as there is room for, and below it what the colours mean."""
    overlaid = _overlaid(panel)
    scale = min(box.width / overlaid.width, (box.height - LEGEND) / overlaid.height)
    width, height = overlaid.width * scale, overlaid.height * scale
    left = box.left + (box.width - width) / 2
    canvas.picture(Box(left, box.top, left + width, box.top + height), overlaid)
    _draw_legend(canvas, Box(left, box.top + height + 8, left + width, box.top + height + LEGEND), panel)


def _draw_legend(canvas: Canvas, box: Box, panel: HeatPanel) -> None:
    """Draw the ramp of colours between the words for its two ends."""
    less, more = canvas.typeface.legible(panel.less), canvas.typeface.legible(panel.more)
    canvas.text(box.left, box.top + SIZE, less, SIZE, colour=MUTED)
    canvas.text(box.right, box.top + SIZE, more, SIZE, colour=MUTED, anchor="r")
    left = box.left + canvas.typeface.width(less, SIZE) + 6
    right = box.right - canvas.typeface.width(more, SIZE) - 6
    steps = 64
    for step in range(steps if right > left else 0):
        colour = _colour(step / (steps - 1))
        start = left + (right - left) * step / steps
        canvas.block(Box(start, box.top + 3, start + (right - left) / steps + 0.5, box.top + 10), colour)


def _overlaid(panel: HeatPanel) -> Image.Image:
    """Return the picture, less coloured, under the colours of its map; dark where nothing was looked at."""
    picture = Image.frombytes("RGB", panel.size, panel.pixels)
    heat = _grid(panel, panel.heat)
    table = [_colour(value / 255) for value in range(256)]
    colours = Image.merge("RGB", [heat.point([colour[channel] for colour in table]) for channel in range(3)])
    weight = heat.point([round(255 * WEAKEST + (STRONGEST - WEAKEST) * value) for value in range(256)])
    warm = Image.composite(colours, ImageEnhance.Color(picture).enhance(GREYED), weight)
    seen = _grid(panel, bytes(255 * (cell > 0) for cell in panel.seen))
    return Image.composite(warm, ImageEnhance.Brightness(picture).enhance(DIMMED), seen)


def _grid(panel: HeatPanel, cells: bytes) -> Image.Image:
    """Return a map as large as the picture, smoothed between its cells."""
    grid = Image.frombytes("L", (panel.columns, panel.rows), cells)
    return grid.resize(panel.size, Image.Resampling.BICUBIC)


def _colour(share: float) -> tuple[int, int, int]:
    """Return the colour at 0 to 1 of the ramp."""
    place = min(share, 0.999999) * (len(RAMP) - 1)
    lower, upper = list(pairwise(RAMP))[int(place)]
    part = place - int(place)
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(lower, upper, strict=True))
    return red, green, blue
