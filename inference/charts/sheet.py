"""What is to be drawn: a sheet with a title and rows of panels. Plain data, which travels as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

Words = Annotated[str, Field(max_length=200)]
Share01 = Annotated[float, Field(ge=0, le=1)]
"""A share of a whole, or a probability."""
MOST_CONFUSED = 20
"""Labels that a confusion matrix has room for."""
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


class ConfusionPanel(ChartPart):
    """A confusion matrix: how often pictures of each label were given which label.

    `counts` has a row for each of `labels`, and in it a column for each of `labels` and then of `others`:
    answers that are no label, such as "none of these". `truth` and `given` say what the rows and the columns
    are.
    """

    kind: Literal["confusion"] = "confusion"
    title: Words
    labels: Annotated[tuple[Words, ...], Field(min_length=1, max_length=MOST_CONFUSED)]
    others: Annotated[tuple[Words, ...], Field(max_length=2)] = ()
    counts: tuple[tuple[NonNegativeInt, ...], ...]
    truth: Words
    given: Words

    @model_validator(mode="after")
    def _is_matrix(self) -> Self:
        columns = len(self.labels) + len(self.others)
        if len(self.counts) != len(self.labels) or any(len(row) != columns for row in self.counts):
            raise ValueError(f"counts has to have {len(self.labels)} rows of {columns} columns")
        return self


def most_confused(counts: Sequence[Sequence[int]], most: int = MOST_CONFUSED) -> list[int]:
    """Return the numbers of the labels of a confusion matrix mixed up most: at most `most`, in order.

    `counts` is as in `ConfusionPanel`. A label counts by the pictures of it that were given another, and by
    the others that were given it.
    """
    labels = range(len(counts))

    def mistakes(label: int) -> int:
        missed = sum(counts[label]) - counts[label][label]
        return missed + sum(counts[other][label] for other in labels if other != label)

    return sorted(sorted(labels, key=mistakes, reverse=True)[:most])


class Curve(ChartPart):
    """A line of one value a step; None where there is none for a step."""

    label: Words
    values: Annotated[tuple[FiniteFloat | None, ...], Field(min_length=1, max_length=2000)]
    tone: Tone


class CurvesPanel(ChartPart):
    """Lines over the same steps, 1, 2, 3 and so on: how something changed.

    `marks` are steps at which something happened, with a word for each. With `percent` the values are shares
    of a whole, over an axis to 100 %; else the axis ends at the largest value.
    """

    kind: Literal["curves"] = "curves"
    title: Words
    curves: Annotated[tuple[Curve, ...], Field(min_length=1, max_length=4)]
    steps: Words
    marks: Annotated[tuple[tuple[PositiveInt, Words], ...], Field(max_length=4)] = ()
    percent: bool = False


class ReliabilityBin(ChartPart):
    """The answers of about the same probability: their mean probability, how many were right, and how many
    there are."""

    probability: Share01
    right: Share01
    count: NonNegativeInt


class ReliabilityPanel(ChartPart):
    """A reliability diagram: how often answers are right, by the probability that they were given with.

    `bins` divide 0 to 1 equally. `said` and `was` are what the two axes show, `honest` is what the diagonal
    means.
    """

    kind: Literal["reliability"] = "reliability"
    title: Words
    bins: Annotated[tuple[ReliabilityBin, ...], Field(min_length=2, max_length=50)]
    said: Words
    was: Words
    honest: Words


class Thumbnail(ChartPart):
    """A small picture, RGB, `size` (width, height) in pixels, with lines of text below it."""

    size: tuple[PositiveInt, PositiveInt]
    pixels: bytes
    lines: Annotated[tuple[tuple[Words, Tone | None], ...], Field(max_length=3)]
    """Each line's text, and what its colour means."""


class ThumbnailsPanel(ChartPart):
    """A contact sheet: pictures in rows of `columns`. `nothing` is said where there are none."""

    kind: Literal["thumbnails"] = "thumbnails"
    title: Words
    columns: Annotated[int, Field(ge=1, le=8)]
    thumbnails: Annotated[tuple[Thumbnail, ...], Field(max_length=40)]
    nothing: Words


Panel = Annotated[
    ColumnPanel
    | RankingPanel
    | SharesPanel
    | HeatPanel
    | ConfusionPanel
    | CurvesPanel
    | ReliabilityPanel
    | ThumbnailsPanel,
    Field(discriminator="kind"),
]


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
