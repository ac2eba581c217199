"""A panel of lines over the same steps: how accuracy and loss changed from epoch to epoch."""

from __future__ import annotations

import math

from babel.numbers import format_decimal, format_percent

from inference.charts.canvas import Anchor, Box, Canvas
from inference.charts.palette import GRID, MUTED, TONES
from inference.charts.sheet import CurvesPanel

SMALL = 10.5
LEGEND = 18.0
SIGN = 8.0
LINES = 4
"""Lines of the grid above the axis, at most."""


def draw_curves(canvas: Canvas, box: Box, panel: CurvesPanel, locale: str) -> None:
    """Draw the legend, the grid with its numbers, the marks and the lines, below the panel's title."""
    values = [value for curve in panel.curves for value in curve.values if value is not None]
    axis = axis_of(min(values, default=0.0), max(values, default=0.0), percent=panel.percent)
    written = [_written(tick, axis, locale, percent=panel.percent) for tick in axis]
    margin = max(canvas.typeface.width(text, SMALL) for text in written) + 8
    plot = Box(box.left + margin, box.top + LEGEND + SMALL, box.right - 4, box.bottom - SMALL - 10)
    _draw_legend(canvas, box, panel)
    low, span = axis[0], axis[-1] - axis[0]
    for tick, text in zip(axis, written, strict=True):
        height = plot.bottom - plot.height * (tick - low) / span
        canvas.line(plot.left, plot.right, height, GRID)
        canvas.text(plot.left - 8, height + SMALL * 0.36, text, SMALL, colour=MUTED, anchor="r")
    steps = max(len(curve.values) for curve in panel.curves)

    def across(step: float) -> float:
        return plot.left + plot.width * ((step - 1) / (steps - 1) if steps > 1 else 0.5)

    for step, word in panel.marks:
        canvas.block(Box(across(step) - 0.5, plot.top, across(step) + 0.5, plot.bottom), MUTED)
        text = canvas.typeface.legible(word)
        fits = across(step) + 4 + canvas.typeface.width(text, SMALL) <= plot.right
        canvas.text(
            across(step) + (4 if fits else -4),
            plot.bottom - 5,
            text,
            SMALL,
            colour=MUTED,
            anchor="l" if fits else "r",
        )
    for curve in panel.curves:
        points = [
            (across(step), plot.bottom - plot.height * (min(max(value, low), axis[-1]) - low) / span)
            for step, value in enumerate(curve.values, 1)
            if value is not None
        ]
        if points:
            canvas.sloping_line(points, TONES[curve.tone])
    for step in sorted({1, steps}):
        anchor: Anchor = "m" if steps == 1 else ("l" if step == 1 else "r")
        text = f"{canvas.typeface.legible(panel.steps)} {format_decimal(step, locale=locale)}"
        canvas.text(across(step), plot.bottom + SMALL + 6, text, SMALL, colour=MUTED, anchor=anchor)


def _draw_legend(canvas: Canvas, box: Box, panel: CurvesPanel) -> None:
    x, y = box.left, box.top + SMALL
    for curve in panel.curves:
        text = canvas.typeface.legible(curve.label)
        canvas.block(Box(x, y - SIGN, x + SIGN, y), TONES[curve.tone], corner=2)
        canvas.text(x + SIGN + 5, y, text, SMALL)
        x += SIGN + 5 + canvas.typeface.width(text, SMALL) + 14


def axis_of(low: float, high: float, *, percent: bool) -> list[float]:
    """Return the numbers of an axis, in equal steps of 1, 2 or 5 times 10^n.

    It begins at 0, or, of shares that are all higher, a little below the lowest of them.
    """
    top = 1.0 if percent else max(high, 1e-6)
    start = max(low, 0.0) if percent else 0.0
    wanted = max(top - start, 0.04 if percent else 0.0) / LINES
    power = 10 ** math.floor(math.log10(wanted))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= wanted * 0.999)
    last = math.ceil(top / step - 1e-9)
    first = max(min(math.floor(start / step + 1e-9), last - 2), 0)
    return [each * step for each in range(first, last + 1)]


def _written(tick: float, axis: list[float], locale: str, *, percent: bool) -> str:
    """Return the number as it is written, with as many digits as tell the axis's numbers apart."""
    step = axis[1] - axis[0]
    digits = max(0, -math.floor(math.log10(step * (100 if percent else 1)) + 1e-9))
    places = "." + "0" * digits if digits else ""
    if percent:
        return str(format_percent(tick, format=f"#,##0{places}%", locale=locale))
    return str(format_decimal(tick, format=f"#,##0{places}", locale=locale))
