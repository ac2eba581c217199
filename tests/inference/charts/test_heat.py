"""A heat map is warm where the model saw something, and the picture is dark where it did not look."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from inference.charts.layout import draw_sheet
from inference.charts.sheet import ChartSheet, HeatPanel, SheetRow

WIDTH, HEIGHT = 60, 40


def drawn(heat: bytes, seen: bytes) -> Image.Image:
    panel = HeatPanel(
        title="cat 94%",
        size=(WIDTH, HEIGHT),
        pixels=bytes((128,)) * (3 * WIDTH * HEIGHT),
        columns=3,
        rows=1,
        heat=heat,
        seen=seen,
        less="little",
        more="much",
    )
    sheet = ChartSheet(
        locale="en", title="Where", subtitle="", rows=(SheetRow(height=300, stacks=((panel,),)),)
    )
    return Image.open(io.BytesIO(draw_sheet(sheet))).convert("RGB")


def colours(picture: Image.Image) -> list[tuple[int, ...]]:
    """The colours in the middle of the left, middle and right third of the picture on the sheet."""
    row = np.asarray(picture)[picture.height // 2]
    return [tuple(map(int, row[picture.width * share // 12])) for share in (3, 6, 9)]


def test_the_warmest_place_is_yellow_and_the_coldest_keeps_the_picture() -> None:
    cold, _, warm = colours(drawn(bytes((0, 0, 255)), bytes((1, 1, 1))))
    assert warm[0] > 180 and warm[2] < 100, "yellow"  # noqa: PT018 - one colour
    assert max(cold) - min(cold) < 30, "nearly the grey that it was"


def test_what_was_not_looked_at_is_dark() -> None:
    dark, _, seen = colours(drawn(bytes(3), bytes((0, 1, 1))))
    assert max(dark) < 70 < min(seen)


def test_a_sheet_without_a_figure_has_none() -> None:
    assert drawn(bytes(3), bytes(3)).width > 1000
