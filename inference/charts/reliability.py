"""A panel of a reliability diagram: how often answers of each probability are right."""

from __future__ import annotations

from babel.numbers import format_decimal, format_percent

from inference.charts.canvas import Anchor, Box, Canvas
from inference.charts.palette import COLUMN, GRID, MUTED, TONES
from inference.charts.sheet import ReliabilityPanel

SMALL = 10.5
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
COUNTS = 46.0
"""Height of the columns below that show how many answers there are of each probability."""
FILLED = 0.8
"""Of the room for one column, what it takes."""


def draw_reliability(canvas: Canvas, box: Box, panel: ReliabilityPanel, locale: str) -> None:
    """Draw, for each bin, how many were right, on the diagonal where the probabilities are honest."""
    face = canvas.typeface
    margin = max(face.width(format_percent(tick, locale=locale), SMALL) for tick in TICKS) + 8
    plot = Box(box.left + margin, box.top + 2 * SMALL, box.right - 4, box.bottom - COUNTS - 3 * SMALL - 14)
    for tick in TICKS:
        height = plot.bottom - plot.height * tick
        canvas.line(plot.left, plot.right, height, GRID)
        text = format_percent(tick, locale=locale)
        canvas.text(plot.left - 8, height + SMALL * 0.36, text, SMALL, colour=MUTED, anchor="r")
    room = plot.width / len(panel.bins)
    for index, each in enumerate(panel.bins):
        left = plot.left + room * (index + (1 - FILLED) / 2)
        if each.count:
            top = plot.bottom - max(plot.height * each.right, 1.0)
            canvas.block(Box(left, top, left + room * FILLED, plot.bottom), COLUMN, corner=1.5)
    canvas.sloping_line([(plot.left, plot.bottom), (plot.right, plot.top)], TONES["bad"], width=1.25)
    for each in panel.bins:
        if each.count:
            said = plot.left + plot.width * each.probability
            height = plot.bottom - plot.height * each.right
            canvas.block(Box(said - 3, height - 3, said + 3, height + 3), TONES["good"], corner=3)
    canvas.text(box.left, box.top + SMALL, face.legible(panel.was), SMALL, colour=MUTED)
    honest = face.legible(panel.honest)
    canvas.text(plot.right, box.top + SMALL, honest, SMALL, colour=TONES["bad"], anchor="r")
    _draw_counts(
        canvas, Box(plot.left, plot.bottom + 8, plot.right, box.bottom - 2 * SMALL - 6), panel, locale
    )
    for tick in TICKS:
        text, x = format_percent(tick, locale=locale), plot.left + plot.width * tick
        anchor: Anchor = "l" if tick == 0 else ("r" if tick == 1 else "m")
        canvas.text(x, box.bottom - SMALL - 4, text, SMALL, colour=MUTED, anchor=anchor)
    middle = (plot.left + plot.right) / 2
    canvas.text(middle, box.bottom + SMALL * 0.5, face.legible(panel.said), SMALL, colour=MUTED, anchor="m")


def _draw_counts(canvas: Canvas, box: Box, panel: ReliabilityPanel, locale: str) -> None:
    """Draw how many answers each bin has, with the largest number written."""
    most = max(each.count for each in panel.bins) or 1
    room = box.width / len(panel.bins)
    canvas.line(box.left, box.right, box.bottom, GRID)
    for index, each in enumerate(panel.bins):
        left = box.left + room * (index + (1 - FILLED) / 2)
        top = box.bottom - (box.height - SMALL) * each.count / most
        canvas.block(Box(left, top, left + room * FILLED, box.bottom), MUTED, corner=1)
        if each.count == most:
            number = format_decimal(each.count, locale=locale)
            canvas.text(left + room * FILLED / 2, top - 2, number, SMALL * 0.9, colour=MUTED, anchor="m")
