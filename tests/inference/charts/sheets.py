"""Sheets to draw in tests."""

from __future__ import annotations

from collections.abc import Sequence

from inference.charts.sheet import (
    ChartSheet,
    Column,
    ColumnPanel,
    Panel,
    RankedRow,
    RankingPanel,
    Share,
    SharesPanel,
    SheetRow,
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
