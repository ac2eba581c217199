"""What the simulation calculates with, and where each figure comes from: `config/capacity.toml`, typed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

import config
from config.settings import ConfigError

FILE = Path(config.__file__).with_name("capacity.toml")
SHARES_MAY_MISS = 1e-6

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]


class FigureSource(BaseModel):
    """Where a figure comes from: a benchmark, Discord's documentation, the trial, or nowhere (`assumed`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["measured", "documented", "trial", "assumed", "given"]
    source: Annotated[str, Field(min_length=1)]


class PictureCost(BaseModel):
    """A kind of picture: its share of all images, core-milliseconds with one crop, and its size."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    share: NotNegative
    core_ms: Positive
    kilobytes: Positive


class CapacityFigures(BaseModel):
    """Every figure by its name in `config/capacity.toml`, where its unit and its source stand.

    Times are seconds, or milliseconds of one core where the name ends in `core_ms`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    measured_cores: Annotated[int, Field(gt=0)]
    full_images_per_second: Positive
    speeds: Annotated[tuple[tuple[Positive, Annotated[float, Field(gt=0, le=1)]], ...], Field(min_length=1)]
    small_core_ms: Positive
    first_look_core_ms: Positive
    crops_an_image: Annotated[float, Field(ge=1, le=3)]
    known_image_ms: Positive
    bot_megabytes: Positive
    peak_factor: Annotated[float, Field(ge=1, le=2)]
    peak_hour: Annotated[float, Field(ge=0, lt=24)]
    zipf_exponent: Annotated[float, Field(gt=0, le=3)]
    images_a_message_exponent: Annotated[float, Field(gt=1, le=10)]
    messages_a_burst_exponent: Annotated[float, Field(gt=1, le=10)]
    burst_gap_seconds: Positive
    repost_share: Share
    events_an_image: NotNegative
    bot_image_core_ms: Positive
    event_core_ms: Positive
    transport_core_ms: Positive
    download_seconds: NotNegative
    send_seconds: NotNegative
    rest_calls_a_message: Positive
    writes_a_message: Positive
    writes_a_second: Positive
    connections_a_process: Positive
    connections: Positive
    network_megabits: Positive
    memory_a_core_megabytes: Positive
    servers_a_shard: Positive
    most_servers_a_shard: Positive
    rest_calls_a_second: Positive
    identifies_a_day: Positive
    large_bot_servers: Positive
    large_bot_identifies_a_day: Positive
    large_bot_identifies_per_1000_servers: Positive
    large_bot_max_concurrency: Positive
    identify_seconds: Positive
    restarts_a_day: NotNegative
    lost_sessions_a_shard_day: NotNegative
    pictures: Annotated[tuple[PictureCost, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        total = sum(picture.share for picture in self.pictures)
        if abs(total - 1) > SHARES_MAY_MISS:
            raise ValueError(f"the shares of the pictures add up to {total:g}, and not to 1")
        if list(self.speeds) != sorted(self.speeds):
            raise ValueError("the speeds are not in the order of the images at once")
        return self

    @property
    def second_look_core_ms(self) -> float:
        """What both crops of a second look take, in core-milliseconds."""
        return (self.small_core_ms - self.first_look_core_ms) / max(self.second_look_share, 1e-9)

    @property
    def second_look_share(self) -> float:
        """Of all images, those that are looked at a second time, which takes two crops more."""
        return (self.crops_an_image - 1) / 2

    @property
    def core_seconds_an_image(self) -> float:
        """What an image that is not known takes in the worker on average."""
        decoded = sum(picture.share * picture.core_ms for picture in self.pictures)
        return (decoded + self.second_look_share * self.second_look_core_ms) / 1000

    @property
    def kilobytes_an_image(self) -> float:
        """The mean size of an image."""
        return sum(picture.share * picture.kilobytes for picture in self.pictures)


def load_figures(
    given: Mapping[str, str] | None = None, file: Path = FILE
) -> tuple[CapacityFigures, dict[str, FigureSource]]:
    """Read the figures and their sources; `given` has the ones that were typed in place of the file's.

    Raises ConfigError, which names the figure and what is wrong with it.
    """
    values: dict[str, Any] = {}
    sources = {}
    for name, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
        values[name] = entry.pop("value")
        sources[name] = FigureSource.model_validate(entry)
    for name, text in (given or {}).items():
        if name not in sources:
            raise ConfigError(
                f"--set {name}: there is no such figure; `whatsit capacity --sources` lists them"
            )
        values[name] = text
        sources[name] = FigureSource(kind="given", source="on the command line")
    try:
        return CapacityFigures.model_validate(values), sources
    except ValidationError as error:
        raise ConfigError("\n".join(_faults(error.errors(include_url=False)))) from None


def _faults(errors: Sequence[Any]) -> list[str]:
    return [f"{'.'.join(map(str, fault['loc'])) or 'capacity.toml'}: {fault['msg']}" for fault in errors]
