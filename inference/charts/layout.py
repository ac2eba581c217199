"""Put a sheet together: the heading, and each panel in its place below its title."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from babel.numbers import format_decimal

from inference.charts.canvas import Box, Canvas
from inference.charts.columns import draw_columns
from inference.charts.confusion import draw_confusion
from inference.charts.curves import draw_curves
from inference.charts.heat import draw_heat
from inference.charts.palette import MUTED
from inference.charts.ranking import draw_ranking
from inference.charts.reliability import draw_reliability
from inference.charts.shares import draw_shares
from inference.charts.sheet import ChartSheet
from inference.charts.thumbnails import draw_thumbnails

WIDTH = 550.0
"""Points. Discord shows a picture in a message up to 550 points wide and 350 high, and reduces others."""
MARGIN, HEADING, GAP = 18.0, 46.0, 18.0
TITLE, SUBTITLE, PANEL_TITLE, FIGURE = 17.0, 11.5, 12.0, 26.0

PANELS: Final[dict[str, Callable[[Canvas, Box, Any, str], None]]] = {
    "columns": draw_columns,
    "confusion": draw_confusion,
    "curves": draw_curves,
    "heat": draw_heat,
    "ranking": draw_ranking,
    "reliability": draw_reliability,
    "shares": draw_shares,
    "thumbnails": draw_thumbnails,
}
"""What draws a panel of each kind into its box, below its title; the last argument is the locale."""


def draw_sheet(sheet: ChartSheet) -> bytes:
    """Return the sheet as a PNG."""
    rows = sum(row.height for row in sheet.rows) + GAP * (len(sheet.rows) - 1)
    canvas = Canvas(WIDTH, MARGIN + HEADING + rows + MARGIN)
    _draw_heading(canvas, sheet)
    top = MARGIN + HEADING
    for row in sheet.rows:
        width = (WIDTH - 2 * MARGIN - GAP * (len(row.stacks) - 1)) / len(row.stacks)
        for index, stack in enumerate(row.stacks):
            left, height = MARGIN + (width + GAP) * index, row.height / len(stack)
            for place, panel in enumerate(stack):
                upper = top + height * place
                title = canvas.typeface.legible(panel.title)
                canvas.text(left, upper + PANEL_TITLE, title, PANEL_TITLE, colour=MUTED, bold=True)
                box = Box(left, upper + PANEL_TITLE + 8, left + width, upper + height)
                PANELS[panel.kind](canvas, box, panel, sheet.locale)
        top += row.height + GAP
    return canvas.png()


def _draw_heading(canvas: Canvas, sheet: ChartSheet) -> None:
    typeface, right = canvas.typeface, WIDTH - MARGIN
    canvas.text(MARGIN, MARGIN + 15, typeface.legible(sheet.title), TITLE, bold=True)
    canvas.text(MARGIN, MARGIN + 33, typeface.legible(sheet.subtitle), SUBTITLE, colour=MUTED)
    if sheet.figure is None:
        return
    unit = typeface.legible(sheet.unit)
    figure = format_decimal(sheet.figure, locale=sheet.locale)
    canvas.text(right, MARGIN + 27, unit, SUBTITLE, colour=MUTED, anchor="r")
    canvas.text(
        right - typeface.width(unit, SUBTITLE) - 7, MARGIN + 27, figure, FIGURE, anchor="r", bold=True
    )
