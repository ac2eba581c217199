"""A panel of one bar that is divided into shares, with what each is and its per cent below."""

from __future__ import annotations

from babel.numbers import format_percent

from inference.charts.canvas import Box, Canvas
from inference.charts.palette import MUTED, TONES
from inference.charts.sheet import SharesPanel

SIZE = 11.5
BAR = 12.0
SIGN = 8.0
"""Side of the square that shows a share's colour beside its label."""
LINE = 17.0


def draw_shares(canvas: Canvas, box: Box, panel: SharesPanel, locale: str) -> None:
    """Draw the bar, and a label for each share, as many in a line as fit."""
    total = sum(share.value for share in panel.shares)
    if not total:
        canvas.text(box.left, box.top + SIZE, canvas.typeface.legible(panel.nothing), SIZE, colour=MUTED)
        return
    left = box.left
    shown = [share for share in panel.shares if share.value]
    gaps = 1.5 * (len(shown) - 1)
    for share in shown:
        width = max((box.width - gaps) * share.value / total, 1.0)
        canvas.block(
            Box(left, box.top + 2, min(left + width, box.right), box.top + 2 + BAR),
            TONES[share.tone],
            corner=2,
        )
        left += width + 1.5
    x, y = box.left, box.top + BAR + LINE + 1
    for share in panel.shares:
        percent = format_percent(share.value / total, locale=locale)
        text = canvas.typeface.legible(f"{share.label} {percent}")
        width = SIGN + 5 + canvas.typeface.width(text, SIZE)
        if x > box.left and x + width > box.right:
            x, y = box.left, y + LINE
        canvas.block(Box(x, y - SIGN, x + SIGN, y), TONES[share.tone], corner=2)
        canvas.text(x + SIGN + 5, y, text, SIZE)
        x += width + 14
