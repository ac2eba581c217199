"""Sheets to draw in tests."""

from __future__ import annotations

from collections.abc import Sequence

from inference.charts.sheet import (
    ChartSheet,
    Column,
    ColumnPanel,
    ConfusionPanel,
    Curve,
    CurvesPanel,
    Panel,
    RankedRow,
    RankingPanel,
    ReliabilityBin,
    ReliabilityPanel,
    Share,
    SharesPanel,
    SheetRow,
    Thumbnail,
    ThumbnailsPanel,
)


def columns(*values: int) -> ColumnPanel:
    return ColumnPanel(
        title="Pictures a day",
        columns=tuple(Column(label=f"Nov {day}", value=value) for day, value in enumerate(values, 1)),
    )


def ranking(*names: str) -> RankingPanel:
    rows = tuple(RankedRow(label=name, value=10 - place) for place, name in enumerate(names))
    return RankingPanel(title="Seen most often", rows=rows, nothing="Nothing yet.")


def shares(right: int, wrong: int) -> SharesPanel:
    both = (Share(label="right", value=right, tone="good"), Share(label="wrong", value=wrong, tone="bad"))
    return SharesPanel(title="Right and wrong", shares=both, nothing="Nobody said anything yet.")


def confusion(*rows: tuple[int, ...], others: tuple[str, ...] = ()) -> ConfusionPanel:
    labels = tuple(f"label {number}" for number in range(1, len(rows) + 1))
    return ConfusionPanel(
        title="Mixed up", labels=labels, others=others, counts=rows, truth="It is", given="Taken for"
    )


def curves(*values: float | None, percent: bool = False) -> CurvesPanel:
    curve = Curve(label="pictures learnt from", values=values, tone="good")
    return CurvesPanel(title="Loss", curves=(curve,), steps="epoch", marks=((1, "kept"),), percent=percent)


def reliability(*rights: float) -> ReliabilityPanel:
    middles = [(number + 0.5) / len(rights) for number in range(len(rights))]
    bins = tuple(
        ReliabilityBin(probability=middle, right=right, count=10)
        for middle, right in zip(middles, rights, strict=True)
    )
    return ReliabilityPanel(title="Is 80 % right?", bins=bins, said="said", was="right", honest="honest")


def thumbnails(*colours: tuple[int, int, int]) -> ThumbnailsPanel:
    pictures = tuple(
        Thumbnail(size=(20, 10), pixels=bytes(colour) * 200, lines=(("taken for a cat", "bad"), ("a", None)))
        for colour in colours
    )
    return ThumbnailsPanel(title="Wrong", columns=2, thumbnails=pictures, nothing="No mistakes.")


def sheet(*panels: Panel, title: str = "The last 30 days", locale: str = "en") -> ChartSheet:
    stacks: Sequence[tuple[Panel, ...]] = [(panel,) for panel in panels]
    return ChartSheet(
        locale=locale,
        title=title,
        subtitle="1 November to 30 November",
        figure=1234,
        unit="pictures",
        rows=tuple(SheetRow(height=120, stacks=(stack,)) for stack in stacks),
    )
