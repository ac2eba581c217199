"""A panel of columns side by side, over an axis that begins at 0."""

from __future__ import annotations

import math

from babel.numbers import format_decimal

from inference.charts.canvas import Box, Canvas
from inference.charts.palette import CARD, COLUMN, GRID, INK, MUTED
from inference.charts.sheet import ColumnPanel

SMALL = 10.5
"""Size of the numbers and labels at the axes."""
STEPS = 3
"""Lines above the axis, at most."""
FILLED = 0.7
"""Of the room for one column, what the column takes."""


def ticks(most: int) -> list[int]:
    """Return whole numbers for an axis, from 0 to at least `most`, in equal steps of 1, 2 or 5 times 10^n."""
    wanted = max(most, 1) / STEPS
    power = 10 ** math.floor(math.log10(wanted))
    step = max(1, math.ceil(next(each for each in (1, 2, 5, 10) if each * power >= wanted) * power))
    return list(range(0, step * math.ceil(max(most, 1) / step) + 1, step))


def draw_columns(canvas: Canvas, box: Box, panel: ColumnPanel, locale: str) -> None:
    """Draw the panel below its title: the grid, the columns, the highest one's number, and the labels."""
    values = [column.value for column in panel.columns]
    axis = ticks(max(values))
    written = {tick: format_decimal(tick, locale=locale) for tick in axis}
    margin = max(canvas.typeface.width(text, SMALL) for text in written.values()) + 8
    plot = Box(box.left + margin, box.top + SMALL, box.right, box.bottom - SMALL - 8)
    unit = plot.height / axis[-1]
    for tick, text in written.items():
        height = plot.bottom - tick * unit
        canvas.line(plot.left, plot.right, height, GRID)
        canvas.text(plot.left - 8, height + SMALL * 0.36, text, SMALL, colour=MUTED, anchor="r")
    room = plot.width / len(values)
    for index, value in enumerate(values):
        left = plot.left + room * (index + (1 - FILLED) / 2)
        top = plot.bottom - value * unit
        canvas.block(Box(left, top, left + room * FILLED, plot.bottom), COLUMN, corner=1.5)
    if highest := max(values):
        index = values.index(highest)
        number = format_decimal(highest, locale=locale)
        half = canvas.typeface.width(number, SMALL) / 2
        middle = min(plot.left + room * (index + 0.5), plot.right - half)
        foot = plot.bottom - highest * unit - 4
        canvas.block(Box(middle - half - 2, foot - SMALL * 0.8, middle + half + 2, foot + 2), CARD)
        canvas.text(middle, foot, number, SMALL, colour=INK, anchor="m")
    _label(canvas, plot, panel)


def _label(canvas: Canvas, plot: Box, panel: ColumnPanel) -> None:
    """Write the last column's label and, going back from it, every second, third, ... as they fit."""
    labels = [canvas.typeface.legible(column.label) for column in panel.columns]
    widths = [canvas.typeface.width(label, SMALL) for label in labels]
    room, last = plot.width / len(labels), len(labels) - 1
    step = math.ceil((max(widths) + 2 * SMALL) / room)
    for index in range(last, -1, -step):
        half = widths[index] / 2
        middle = min(plot.left + room * (index + 0.5), plot.right - half)
        if middle - half >= plot.left - SMALL:
            canvas.text(middle, plot.bottom + SMALL + 6, labels[index], SMALL, colour=MUTED, anchor="m")
