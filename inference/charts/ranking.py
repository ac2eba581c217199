"""A panel of names, each with a bar and a number."""

from __future__ import annotations

from babel.numbers import format_decimal

from inference.charts.canvas import Box, Canvas
from inference.charts.palette import COLUMN, GRID, INK, MUTED
from inference.charts.sheet import RankingPanel

SIZE = 12.0
ROW = 21.0
"""Height of one row at most."""
NAMES = 0.52
"""Of the width, what names may take."""


def draw_ranking(canvas: Canvas, box: Box, panel: RankingPanel, locale: str) -> None:
    """Draw as many rows as there is room for, below the panel's title."""
    if not panel.rows:
        canvas.text(box.left, box.top + SIZE, canvas.typeface.legible(panel.nothing), SIZE, colour=MUTED)
        return
    rows = panel.rows[: max(int(box.height / (ROW * 0.8)), 1)]
    height = min(box.height / len(rows), ROW)
    numbers = [format_decimal(row.value, locale=locale) for row in rows]
    most = max(row.value for row in rows) or 1
    names = [
        canvas.typeface.fitted(canvas.typeface.legible(row.label), SIZE, box.width * NAMES) for row in rows
    ]
    left = box.left + max(canvas.typeface.width(name, SIZE) for name in names) + 8
    right = box.right - max(canvas.typeface.width(number, SIZE) for number in numbers) - 8
    for index, (row, name, number) in enumerate(zip(rows, names, numbers, strict=True)):
        middle = box.top + height * (index + 0.5)
        canvas.text(box.left, middle + SIZE * 0.36, name, SIZE)
        canvas.block(Box(left, middle - 4, right, middle + 4), GRID, corner=2)
        canvas.block(
            Box(left, middle - 4, left + (right - left) * row.value / most, middle + 4), COLUMN, corner=2
        )
        canvas.text(box.right, middle + SIZE * 0.36, number, SIZE, colour=INK, anchor="r")
