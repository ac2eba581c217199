"""The charts of `whatsit evaluate`: what was taken for what, how honest the percentages are, and mistakes."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bot.cli.evaluation import Evaluation, JudgedPicture
from inference.charts.sheet import (
    ChartSheet,
    ConfusionPanel,
    Panel,
    ReliabilityBin,
    ReliabilityPanel,
    SheetRow,
    Thumbnail,
    ThumbnailsPanel,
    most_confused,
)
from inference.results import Explanation

COLUMNS, MOST_MISTAKES = 4, 12
"""Pictures in a row of the contact sheet, and on all of it."""
NAME = 18
"""Characters of a file's name that fit below its picture."""
LONGEST = 200
"""Characters of a text in a chart."""


class Mistake(NamedTuple):
    """A picture that was named wrong, and a small copy of it."""

    picture: JudgedPicture
    copy: Explanation


def confusion_sheet(model: str, found: Evaluation) -> ChartSheet:
    """Return the confusion matrix; of many classes those that were mixed up most."""
    shown = most_confused([row[:-1] for row in found.counts])
    rest = [len(found.labels)] if any(row[-1] for row in found.counts) else []
    panel = ConfusionPanel(
        title="What was taken for what",
        labels=tuple(found.labels[number][:LONGEST] for number in shown),
        others=("something else",) * len(rest),
        counts=tuple(tuple(found.counts[row][column] for column in (*shown, *rest)) for row in shown),
        truth="It is",
        given="The model says",
    )
    missing = len(found.labels) - len(shown)
    more = f"; the {len(shown)} of {len(found.labels)} classes that were mixed up most" if missing else ""
    return _sheet("Confusion matrix", model, found, panel, 130 + 24 * len(shown), more=more)


def reliability_sheet(model: str, found: Evaluation) -> ChartSheet:
    """Return the reliability diagram."""
    panel = ReliabilityPanel(
        title="Is 80 % right 80 times in 100?",
        bins=tuple(
            ReliabilityBin(probability=each.probability, right=each.right, count=each.pictures)
            for each in found.bins
        ),
        said="how sure the model was of its first label, and of how many pictures",
        was="how often it was right",
        honest="as it should be",
    )
    error = f"; the expected calibration error is {found.calibration_error:.1%}"
    return _sheet("How honest its percentages are", model, found, panel, 330, more=error)


def mistakes_sheet(model: str, found: Evaluation, mistakes: Sequence[Mistake]) -> ChartSheet:
    """Return the contact sheet of the worst mistakes."""
    panel = ThumbnailsPanel(
        title="Wrong, and most sure of it",
        columns=COLUMNS,
        thumbnails=tuple(
            Thumbnail(
                size=mistake.copy.size,
                pixels=mistake.copy.pixels,
                lines=(
                    (f"{mistake.picture.probability:.0%} {mistake.picture.labels[0]}"[:LONGEST], "bad"),
                    (found.labels[mistake.picture.truth][:LONGEST], "good"),
                    (_shortened(mistake.picture.path), None),
                ),
            )
            for mistake in mistakes
        ),
        nothing="There are no mistakes.",
    )
    rows = math.ceil(len(mistakes) / COLUMNS)
    wrong = len(found.pictures) - found.right
    legend = f"; {wrong} wrong" + "; above what the model says, below what it is" * bool(mistakes)
    return _sheet("The worst mistakes", model, found, panel, max(160 * rows, 30), more=legend)


def _sheet(
    title: str, model: str, found: Evaluation, panel: Panel, height: float, *, more: str = ""
) -> ChartSheet:
    count = len(found.pictures)
    subtitle = f"{model}, {count:,} {'picture' if count == 1 else 'pictures'}{more}"
    return ChartSheet(
        locale="en",
        title=title,
        subtitle=subtitle[:LONGEST],
        rows=(SheetRow(height=height, stacks=((panel,),)),),
    )


def _shortened(path: str) -> str:
    """Return the end of a file's name, which tells pictures of one class apart."""
    name = os.fsencode(Path(path).stem).decode(errors="replace")
    return name if len(name) <= NAME else f"…{name[1 - NAME :]}"
