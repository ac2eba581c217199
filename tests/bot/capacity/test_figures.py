"""Every figure says where it comes from, and those of the benchmark are the benchmark's."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from bot.capacity.figures import FILE, load_figures
from config.settings import ConfigError

FIGURES, SOURCES = load_figures()
BENCH = json.loads((Path(__file__).parents[3] / "docs" / "bench.json").read_text(encoding="utf-8"))
PLACES = {
    name: source.source.removeprefix("docs/bench.json: ")
    for name, source in SOURCES.items()
    if source.source.startswith("docs/bench.json: ")
}


def in_bench(place: str) -> Any:
    """The value at a place such as "rows.pipeline.small[Whatsit, 64].core_ms", 64 being those in flight."""
    found: Any = BENCH
    for part in re.findall(r"\[[^\]]*\]|[^.\[]+", place):
        if part.startswith("["):
            system, _, in_flight = part[1:-1].rpartition(", ")
            (found,) = (
                row for row in found if row["system"] == system and row["in_flight"] == int(in_flight)
            )
        else:
            found = found[part]
    return found


@pytest.mark.parametrize("name", PLACES)
def test_what_is_said_to_be_the_benchmarks_is(name: str) -> None:
    assert getattr(FIGURES, name) == in_bench(PLACES[name])


def test_the_benchmark_is_the_source_of_several() -> None:
    assert len(PLACES) >= 6


def test_what_pictures_take_is_the_benchmarks() -> None:
    whatsit = {row["kind"]: row["Whatsit"]["core_ms"] for row in BENCH["rows"]["pipeline"]["kinds"]}
    sizes = {row["kind"]: row["kilobytes"] for row in BENCH["rows"]["decode"]}
    for picture in FIGURES.pictures:
        assert (picture.core_ms, picture.kilobytes) == (whatsit[picture.name], sizes[picture.name])


def test_the_speeds_with_few_images_at_once_are_the_benchmarks() -> None:
    place = "rows.pipeline.small[Whatsit, views = auto, {}].images_per_second"
    for images, share in FIGURES.speeds:
        rate = in_bench(place.format(round(images)))
        assert share == pytest.approx(rate / FIGURES.full_images_per_second, abs=1e-4)


def test_every_figure_has_a_source_and_is_used() -> None:
    assert set(SOURCES) == set(type(FIGURES).model_fields) == set(tomllib.loads(FILE.read_text()))
    code = "".join(file.read_text() for file in FILE.parents[1].glob("bot/capacity/*.py"))
    for name, source in SOURCES.items():
        assert len(source.source) > 8
        assert f"figures.{name}" in code or f"self.{name}" in code, f"{name} is used nowhere"


def test_documented_figures_name_a_page_or_a_library() -> None:
    for source in SOURCES.values():
        if source.kind == "documented":
            assert "https://" in source.source or "SQLAlchemy" in source.source


def test_a_figure_can_be_given_and_says_so() -> None:
    figures, sources = load_figures({"repost_share": "0.25"})
    assert figures.repost_share == 0.25
    assert sources["repost_share"].kind == "given"
    assert FIGURES.repost_share != 0.25


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("reposts", "0.25", "there is no such figure"),
        ("repost_share", "often", "repost_share: Input should be a valid number"),
        ("repost_share", "1.5", "repost_share: Input should be less than 1"),
        ("writes_a_second", "0", "writes_a_second: Input should be greater than 0"),
        ("send_seconds", "nan", "send_seconds"),
        ("pictures", "3", "pictures"),
    ],
)
def test_a_figure_of_no_use_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_figures({name: value})


def test_shares_that_do_not_add_up_are_named(tmp_path: Path) -> None:
    file = tmp_path / "capacity.toml"
    file.write_text(FILE.read_text().replace("share = 0.35", "share = 0.45"))
    with pytest.raises(ConfigError, match=r"add up to 1\.1, and not to 1"):
        load_figures(file=file)


def test_the_second_look_takes_what_the_benchmark_shows() -> None:
    mean = FIGURES.first_look_core_ms + FIGURES.second_look_share * FIGURES.second_look_core_ms
    assert mean == pytest.approx(FIGURES.small_core_ms)
