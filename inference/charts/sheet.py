"""What is to be drawn: a sheet with a title and rows of panels. Plain data, which travels as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

Words = Annotated[str, Field(max_length=200)]
Tone = Literal["good", "fair", "faint", "fainter", "bad"]
"""What a colour means, from sure or right to wrong."""


class ChartPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class Column(ChartPart):
    """One column; its label stands below it where there is room."""

    label: Words
    value: NonNegativeInt


class ColumnPanel(ChartPart):
    """Columns side by side over an axis: something by day."""

    kind: Literal["columns"] = "columns"
    title: Words
    columns: Annotated[tuple[Column, ...], Field(min_length=1, max_length=100)]


class RankedRow(ChartPart):
    """A name, and how often it came."""

    label: Words
    value: NonNegativeInt


class RankingPanel(ChartPart):
    """Names with bars, in the order given. `nothing` is said where there are none."""

    kind: Literal["ranking"] = "ranking"
    title: Words
    rows: Annotated[tuple[RankedRow, ...], Field(max_length=20)]
    nothing: Words


class Share(ChartPart):
    """One part of a whole."""

    label: Words
    value: NonNegativeInt
    tone: Tone


class SharesPanel(ChartPart):
    """One bar that is divided into shares, and what each is. `nothing` is said where all are 0."""

    kind: Literal["shares"] = "shares"
    title: Words
    shares: Annotated[tuple[Share, ...], Field(min_length=1, max_length=8)]
    nothing: Words


class HeatPanel(ChartPart):
    """A picture under a heat map, as `inference.results.Explanation` has them.

    `less` and `more` say what the coldest and the warmest colour mean.
    """

    kind: Literal["heat"] = "heat"
    title: Words
    size: tuple[PositiveInt, PositiveInt]
    pixels: bytes
    columns: PositiveInt
    rows: PositiveInt
    heat: bytes
    seen: bytes
    less: Words
    more: Words


Panel = Annotated[ColumnPanel | RankingPanel | SharesPanel | HeatPanel, Field(discriminator="kind")]


class SheetRow(ChartPart):
    """Stacks of panels side by side, equally wide; the panels of a stack share its `height`, in points."""

    height: PositiveFloat
    stacks: Annotated[tuple[Annotated[tuple[Panel, ...], Field(min_length=1)], ...], Field(min_length=1)]


class ChartSheet(ChartPart):
    """One picture. `figure` is the one number that matters most, beside the title, and `unit` what it counts;
    a sheet that counts nothing has none.

    `locale` says how numbers are written: a name that Babel knows, such as "de" or "pt_BR".
    """

    locale: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,4})*$")]
    title: Words
    subtitle: Words
    figure: NonNegativeInt | None = None
    unit: Words = ""
    rows: Annotated[tuple[SheetRow, ...], Field(min_length=1, max_length=6)]
