"""A panel of a confusion matrix: a row for each label, a column for each answer, and how often they met."""

from __future__ import annotations

from babel.numbers import format_decimal, format_percent

from inference.charts.canvas import Box, Canvas
from inference.charts.palette import CARD, GRID, MUTED, TONES, between, ink_on
from inference.charts.sheet import ConfusionPanel

SIZE = 11.0
SMALLEST = 5.0
"""Size of a number below which it is left out."""
NAMES = 0.27
"""Of the width, what the names of rows may take."""
HEADINGS = 74.0
"""Height at most of the names of columns, which are written upwards."""
LARGEST_CELL = 56.0
SHARES = 38.0
"""Width of the column that says how many of a row are right."""
FAINTEST = 0.16
"""How much of its colour a cell has at least where it is not zero."""


def draw_confusion(canvas: Canvas, box: Box, panel: ConfusionPanel, locale: str) -> None:
    """Draw the matrix below the panel's title; what its rows and columns are is said in its corners."""
    face = canvas.typeface
    names = [face.fitted(face.legible(name), SIZE, box.width * NAMES) for name in panel.labels]
    above = [face.fitted(face.legible(name), SIZE, HEADINGS) for name in (*panel.labels, *panel.others)]
    left = box.left + max(face.width(name, SIZE) for name in (*names, face.legible(panel.truth))) + 10
    top = box.top + SIZE + 6 + max(face.width(name, SIZE) for name in above) + 8
    width = min((box.right - SHARES - left) / len(above), LARGEST_CELL)
    height = min((box.bottom - top) / len(names), LARGEST_CELL)
    canvas.text(left, box.top + SIZE, face.legible(panel.given), SIZE, colour=MUTED)
    canvas.text(left - 10, top - 8, face.legible(panel.truth), SIZE, colour=MUTED, anchor="r")
    for column, name in enumerate(above):
        canvas.upward_text(left + width * (column + 0.5) + SIZE * 0.36, top - 6, name, SIZE)
    for row, (name, counts) in enumerate(zip(names, panel.counts, strict=True)):
        upper = top + height * row
        canvas.text(left - 10, upper + height / 2 + SIZE * 0.36, name, SIZE, anchor="r")
        total = sum(counts)
        for column, count in enumerate(counts):
            cell = Box(left + width * column, upper, left + width * (column + 1) - 1.5, upper + height - 1.5)
            _draw_cell(canvas, cell, count, total, right=column == row, locale=locale)
        if total:
            share = format_percent(counts[row] / total, locale=locale)
            right = left + width * len(above) + SHARES
            canvas.text(right, upper + height / 2 + SIZE * 0.36, share, SIZE, colour=MUTED, anchor="r")


def _draw_cell(canvas: Canvas, cell: Box, count: int, total: int, *, right: bool, locale: str) -> None:
    """Draw one cell: the larger its share of the row, the more of its colour; and the number, if it fits."""
    tone = TONES["good" if right else "bad"]
    colour = between(CARD, tone, FAINTEST + (1 - FAINTEST) * count / total) if count else GRID
    canvas.block(cell, colour, corner=2)
    if not count:
        return
    number, size = format_decimal(count, locale=locale), min(SIZE, cell.height * 0.7)
    size *= min((cell.width - 2) / canvas.typeface.width(number, size), 1.0)
    if size >= SMALLEST:
        x, y = (cell.left + cell.right) / 2, (cell.top + cell.bottom) / 2 + size * 0.36
        canvas.text(x, y, number, size, colour=ink_on(colour), anchor="m")
