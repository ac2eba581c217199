"""`python -m inference.charts NICE`: reads a `ChartSheet` as JSON from standard input, writes its PNG.

Names in a chart may be what somebody typed, and letters are drawn by a library in C: so nothing is drawn
before this process has given up the network, other programs, and all files but the fonts.
"""

from __future__ import annotations

import os
import sys

from babel.numbers import format_decimal, format_percent
from PIL import Image

from inference.charts.layout import draw_sheet
from inference.charts.sheet import ChartSheet
from inference.charts.typeface import FOLDER
from inference.sandbox import keep_only


def main(nice: int) -> None:
    """Draw the one sheet."""
    os.nice(nice)
    sheet = ChartSheet.model_validate_json(sys.stdin.buffer.read())
    # Pillow imports what writes PNG, and Babel reads a locale's tables, when they need it: too late, below.
    Image.preinit()
    for read_tables in (format_decimal, format_percent):
        read_tables(0, locale=sheet.locale)
    keep_only(read=[FOLDER], write=[], network=False)
    sys.stdout.buffer.write(draw_sheet(sheet))


if __name__ == "__main__":
    main(int(sys.argv[1]))
