"""Describe the drawing that shows where in a picture the model saw what it names."""

from __future__ import annotations

from collections.abc import Sequence

from bot.i18n import N_, Language
from bot.presentation.label_name import LabelName
from bot.presentation.plain_text import shorten
from bot.presentation.taught_name import TaughtName
from inference.charts.sheet import ChartSheet, HeatPanel, SheetRow
from inference.results import Explanation, Label

SHOWN = 3
"""Names that have a map, the likeliest ones."""
LIKELY = 0.05
"""A name less likely than that has no map, unless it is the first: it would be a map of chance."""
TALLEST, WIDTH = 300.0, 514.0
"""Points that a map may be high, and that all maps may be wide together."""
BELOW, BESIDE = 42.0, 18.0
"""Points that a panel's title and legend take, and between two panels."""

LOOKED = N_("Bright is what spoke for the name; dark was not looked at.")
COVERED = N_("Found by covering parts of the picture: bright is what the name needed.")


def description(labels: Sequence[Label], language: Language, taught: TaughtName | None = None) -> str:
    """Return what the drawing shows, for those who cannot see it."""
    names = [str(LabelName(label.name, language, 60, plain=True)) for label in mapped(labels)]
    names = [*([shorten(taught.name, 60)] if taught else []), *names]
    sentence = language.gettext(N_("The picture under a heat map for each of these names: {names}."))
    return sentence.format(names=language.listed(names))


def mapped(labels: Sequence[Label]) -> list[Label]:
    """Return the names that have a map, of ranked ones."""
    likely = [label for label in labels[1:SHOWN] if label.probability >= LIKELY]
    return [labels[0], *likely]


def explanation_sheet(
    explained: Explanation, labels: Sequence[Label], language: Language, taught: TaughtName | None = None
) -> ChartSheet:
    """Describe the drawing: the maps side by side, each below its name, that of a taught name first."""
    width, height = explained.size
    titles = [*([shorten(taught.name, 60)] if taught else []), *(_title(each, language) for each in labels)]
    across = (WIDTH - BESIDE * (len(titles) - 1)) / len(titles)
    tall = min(across * height / width, TALLEST) + BELOW
    how = COVERED if explained.method == "occlusion" else LOOKED
    less, more = language.gettext(N_("little")), language.gettext(N_("much"))
    panels = tuple(
        (
            HeatPanel(
                title=title,
                size=explained.size,
                pixels=explained.pixels,
                columns=explained.columns,
                rows=explained.rows,
                heat=heat,
                seen=explained.seen,
                less=less,
                more=more,
            ),
        )
        for title, heat in zip(titles, explained.maps, strict=True)
    )
    return ChartSheet(
        locale=str(language.locale),
        title=language.gettext(N_("Where I saw it")),
        subtitle=language.gettext(how),
        rows=(SheetRow(height=tall, stacks=panels),),
    )


def _title(label: Label, language: Language) -> str:
    return f"{LabelName(label.name, language, 60, plain=True)} {language.percent(label.probability)}"
