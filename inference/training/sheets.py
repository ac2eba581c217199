"""The charts of a training: how it learnt, and what it still mixes up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.charts.sheet import ChartSheet, ConfusionPanel, Curve, CurvesPanel, SheetRow, most_confused
from inference.training.fitting import Epoch

CURVES_HEIGHT = 170.0
MATRIX_HEIGHT, ROW_HEIGHT = 120.0, 24.0


def learning_curve(name: str, epochs: Sequence[Epoch], kept: int, tuned_from: int | None) -> ChartSheet:
    """Return accuracy and loss by epoch. `kept` is the number, from 1, of the epoch whose weights the model
    has, and `tuned_from` that of the first one with unfrozen layers."""
    marks = [(kept, "kept")]
    if tuned_from is not None:
        marks.append((tuned_from, "fine-tuning"))
    own, other = "pictures learnt from", "pictures held back"

    def panel(title: str, learnt: list[float], held_back: list[float], *, percent: bool) -> CurvesPanel:
        return CurvesPanel(
            title=title,
            curves=(
                Curve(label=own, values=tuple(learnt), tone="faint"),
                Curve(label=other, values=tuple(held_back), tone="good"),
            ),
            steps="epoch",
            marks=tuple(marks),
            percent=percent,
        )

    right = panel("Named right", [e.right for e in epochs], [e.held_back_right for e in epochs], percent=True)
    loss = panel("Loss", [e.loss for e in epochs], [e.held_back_loss for e in epochs], percent=False)
    return ChartSheet(
        locale="en",
        title="Learning curve",
        subtitle=f"{name}, {len(epochs)} epochs",
        rows=tuple(SheetRow(height=CURVES_HEIGHT, stacks=((each,),)) for each in (right, loss)),
    )


def confusion_matrix(name: str, labels: Sequence[str], counts: NDArray[np.intp]) -> ChartSheet:
    """Return what was taken for what; `counts`, [classes, classes], has a row for each true label."""
    shown = most_confused(counts.tolist())
    rest = f"; the {len(shown)} of {len(labels)} classes that were mixed up most" * (len(shown) < len(labels))
    panel = ConfusionPanel(
        title="What was taken for what",
        labels=tuple(labels[number][:200] for number in shown),
        counts=tuple(tuple(int(counts[row, column]) for column in shown) for row in shown),
        truth="It is",
        given="The model says",
    )
    return ChartSheet(
        locale="en",
        title="Confusion matrix",
        subtitle=f"{name}, {int(counts.sum()):,} pictures that it did not learn from{rest}",
        rows=(SheetRow(height=MATRIX_HEIGHT + ROW_HEIGHT * len(shown), stacks=((panel,),)),),
    )
