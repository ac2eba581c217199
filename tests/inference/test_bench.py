"""The benchmark: what it computes, what it writes, and that it runs. No test looks at a time."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from PIL import Image
from rich.console import Console

from config.settings import Model, Settings
from inference.bench import __main__ as bench
from inference.bench import rows
from inference.bench.drive import drive
from inference.bench.figures import Spread, percentile, ratios
from inference.bench.machine import describe
from inference.bench.numbering import stamp, unique
from inference.bench.photographs import ASPECTS, FORMATS, Kind, make
from inference.bench.pipeline import INT8, summary
from inference.bench.plan import FULL, QUICK, SMALL, Row, wanted
from inference.bench.plot import draw
from inference.bench.report import BEGIN, END, block, print_tables, write_readme
from inference.bench.resized import media_server, resized
from inference.bench.results import assemble
from inference.bench.stage import Failed, Running, Stage
from inference.bench.targets import FULL_ONLY, TARGETS, shown

TINY = replace(
    QUICK,
    stall_count=40,
    decode_count=1,
    known_count=4,
    cold_starts=1,
    processed=(3, 6, 12),
    waiting=3,
    resized_count=3,
)


class GreyStage(Stage):
    """Whatsit gets a model that costs nothing."""

    @contextmanager
    def fresh(self, name: str, **options: Any) -> Iterator[Running]:
        if name == "whatsit":
            options["load"] = "tests.inference.bench_fakes:load"
        with super().fresh(name, **options) as running:
            yield running


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with GreyStage(tmp_path, photographs=1) as made:
        yield made


def tell_nobody(_: str) -> None:
    """Progress is for a person."""


# Statistics


def test_a_percentile_lies_between_its_neighbours() -> None:
    assert percentile([4, 1, 3, 2], 50) == 2.5
    assert percentile([1, 2, 3, 4, 5], 99) == pytest.approx(4.96)
    assert (percentile([3, 9, 1], 0), percentile([3, 9, 1], 100)) == (1, 9)
    assert percentile([7], 95) == 7


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1], -1), ([1], 101)])
def test_a_percentile_that_makes_no_sense_is_refused(values: list[float], percent: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, percent)


def test_ratios_are_taken_pair_by_pair() -> None:
    assert ratios([10, 30], [5, 10]) == [2, 3]
    with pytest.raises(ValueError, match="zip"):
        ratios([1, 2], [1])


def test_the_median_of_ratios_is_quoted_with_its_ends() -> None:
    assert Spread.of([3, 1, 2]) == Spread(median=2, low=1, high=3, values=(3, 1, 2))


def test_a_summary_counts_every_image_of_every_turn() -> None:
    turns = [
        {"seconds": 2.0, "core_seconds": 3.0, "latencies_ms": [10.0] * 4},
        {"seconds": 1.0, "core_seconds": 2.0, "latencies_ms": [30.0] * 4},
    ]
    assert summary(turns) == {
        "images_per_second": 3.0,
        "low": 2.0,
        "high": 4.0,
        "p50_ms": 20.0,
        "p95_ms": 30.0,
        "p99_ms": 30.0,
        "core_ms": 625.0,
    }


# Pictures


@pytest.mark.parametrize("form", FORMATS)
def test_every_image_has_bytes_of_its_own_and_the_same_pixels(form: str, tmp_path: Path) -> None:
    files = make(Kind(form, 0.3), tmp_path, photographs=1)  # type: ignore[arg-type]  # one of FORMATS
    bases = [file.read_bytes() for file in files]
    images = list(unique(bases, 5, 30))
    assert len(set(images)) == 30
    for number, image in enumerate(images, start=5):
        assert _pixels(image) == _pixels(bases[number % len(bases)])


def test_ten_thousand_images_are_ten_thousand(tmp_path: Path) -> None:
    bases = [file.read_bytes() for file in make(SMALL, tmp_path, photographs=1)]
    assert len({hash(image) for image in unique(bases, 0, 10_000)}) == 10_000


def test_pictures_have_the_three_aspect_ratios_in_equal_parts_and_the_size_asked_for(tmp_path: Path) -> None:
    sizes = [_size(file.read_bytes()) for file in make(Kind("jpeg", 2.0), tmp_path, photographs=2)]
    assert [round(width / height, 2) for width, height in sizes] == [
        round(width / height, 2) for width, height in ASPECTS
    ] * 2
    assert all(width * height == pytest.approx(2e6, rel=0.01) for width, height in sizes)


def test_bytes_that_the_benchmark_did_not_make_cannot_be_numbered() -> None:
    with pytest.raises(ValueError, match="no place for its number"):
        stamp(b"GIF89a", 1)


def _pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).convert("RGB").tobytes()


def _size(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


# Driving


async def test_no_more_than_so_many_are_in_flight_and_all_are_answered() -> None:
    now, most, seen = 0, 0, []

    async def answer(data: bytes) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        seen.append(data)
        await asyncio.sleep(0)
        now -= 1

    latencies = await drive(answer, iter([b"%d" % number for number in range(20)]), 4)
    assert (most, now, len(latencies)) == (4, 0, 20)
    assert len(set(seen)) == 20


async def test_one_failure_spoils_the_measurement() -> None:
    async def answer(data: bytes) -> None:
        await asyncio.sleep(0)
        if data == b"3":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await drive(answer, iter([b"%d" % number for number in range(20)]), 4)


# What is written


class Canned(Running):
    """A system that runs nowhere: `rate` images a second, `core` core-seconds an image."""

    def __init__(self, rate: float, core: float) -> None:
        self.opened = {"engine": "canned"}
        self._rate, self._core = rate, core
        self.asked: list[dict[str, Any]] = []

    def ask(self, do: str, **arguments: Any) -> Any:
        if do == "name":
            return ["a cat"] * len(arguments["pictures"])
        if do == "views":
            return 5 / 3
        self.asked.append(arguments)
        count = arguments["count"]
        self._rate *= 1.1  # a machine that warms up, for all alike
        return {
            "seconds": count / self._rate,
            "core_seconds": count * self._core,
            "latencies_ms": [1000 / self._rate] * count,
        }


class CannedStage(Stage):
    """The pipeline's systems, but for the engines that are not here."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.canned = {"whatsit": Canned(200, 0.01), "usual": Canned(25, 0.08), "decoder": Canned(400, 0.002)}

    def running(self, name: str, **options: Any) -> Running:
        if options.get("engine") in {"litert", "onnxruntime"}:
            raise Failed("ModuleNotFoundError: that engine is not installed")
        if options.get("settings", {}).get("model", {}).get("precision") == "int8":
            raise Failed("ModelUnavailable: quantize it first")
        return self.canned.get(name) or self.canned.setdefault(name, Canned(300, 0.007))

    def pictures(self, kind: Kind, *, count: int | None = None) -> list[str]:
        return [f"{kind} {number}" for number in range(18)][:count]


@pytest.fixture
def results(tmp_path: Path) -> dict[str, Any]:
    found = {
        "pipeline": bench.ROWS["pipeline"](CannedStage(tmp_path), QUICK, Model(), [], tell_nobody),
        "event_loop": Row(
            data={
                "in_flight": 500,
                "busy": {"p50_ms": 0.1, "p99_ms": 2.0, "max_ms": 25.0},
                "idle": {"p50_ms": 0.1, "p99_ms": 0.2, "max_ms": 0.3},
            },
            figures={"loop_stall_p99_ms": [2.0], "loop_stall_max_ms": [25.0]},
        ),
        "decode": Row(data=[{"kind": "jpeg 12 MP", "kilobytes": 2500, "full_ms": 200.0, "scaled_ms": 40.0}]),
    }
    machine = describe() | {"busy": 0.0}
    # As it comes back from the file that it is written to.
    made = assemble(found, kind="quick", model="m", machine=machine, seconds=1.23)
    return dict(json.loads(json.dumps(made)))


def test_the_ratios_are_flat_numbers_under_the_names_of_the_targets(results: dict[str, Any]) -> None:
    assert results["ratios"].keys() <= TARGETS.keys()
    assert all(isinstance(figure, float) for figure in results["ratios"].values())
    assert results["ratios"]["loop_stall_max_ms"] == 25.0
    assert results["targets"]["loop_stall_max_ms"] == {"at": "most", "value": 20, "reached": False}
    assert results["targets"]["throughput_64"]["reached"] is True


def test_a_ratio_compares_turns_of_the_same_round(results: dict[str, Any]) -> None:
    spread = results["spreads"]["throughput_64"]
    assert len(spread["values"]) == QUICK.rounds[64]
    assert spread["min"] <= results["ratios"]["throughput_64"] <= spread["max"]


def test_every_figure_is_there_or_its_reason_is(results: dict[str, Any]) -> None:
    assert results["ratios"].keys() | results["skipped"].keys() >= TARGETS.keys()
    assert not results["ratios"].keys() & results["skipped"].keys()
    assert results["skipped"]["throughput_64_int8"] == "ModelUnavailable: quantize it first"
    assert results["skipped"][INT8] == "ModelUnavailable: quantize it first"
    assert results["skipped"]["bare litert"] == "Only the full run measures it."
    assert all("full run" in results["skipped"][name] for name in FULL_ONLY)


def test_an_engine_that_is_not_installed_is_left_out_with_the_reason(tmp_path: Path) -> None:
    plan = replace(QUICK, bare=FULL.bare)
    row = bench.ROWS["pipeline"](CannedStage(tmp_path), plan, Model(), [], tell_nobody)
    assert row.skipped["bare litert"] == "ModuleNotFoundError: that engine is not installed"
    assert "bare tensorflow" not in row.skipped
    assert "bare tensorflow" in {one["system"] for one in row.data["small"]}


def test_no_two_turns_get_the_same_images(tmp_path: Path) -> None:
    stage = CannedStage(tmp_path)
    bench.ROWS["pipeline"](stage, QUICK, Model(), [], tell_nobody)
    spans = [
        range(asked["start"], asked["start"] + asked["count"])
        for system in stage.canned.values()
        for asked in system.asked
        if "start" in asked
    ]
    numbers = [number for span in spans for number in span]
    assert len(numbers) == len(set(numbers)) > 1000


def test_aspect_ratios_come_in_equal_parts() -> None:
    for plan, n in product((QUICK, FULL), (1, 8, 64)):
        assert plan.counts[n] % len(ASPECTS) == 0
        assert plan.counts[n] * plan.ours % len(ASPECTS) == 0
    assert (QUICK.large_count % len(ASPECTS), FULL.large_count % len(ASPECTS)) == (0, 0)


def test_the_machine_is_described_without_naming_it(results: dict[str, Any]) -> None:
    assert {"cpu", "cores", "date", "versions", "python"} <= results["machine"].keys()
    assert "/" not in json.dumps(results["machine"]["system"])


def test_tables_show_each_figure_beside_what_there_was_to_reach(results: dict[str, Any]) -> None:
    console = Console(file=io.StringIO(), width=160)
    print_tables(results, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert re.search(r"the longest stall.*25 ms.*at most 20 ms.*not reached", text)
    assert re.search(r"stall of the event loop, p99.*2 ms.*at most 3 ms.*reached", text)
    assert "quantize it first" in text
    assert "not quiet" not in text


def test_a_busy_machine_is_told_on(results: dict[str, Any]) -> None:
    console = Console(file=io.StringIO(), width=160)
    results["machine"]["busy"] = 1.7
    print_tables(results, console)
    assert "not quiet" in console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO


def test_readme_gets_the_ratios_between_its_markers(results: dict[str, Any], tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_readme(results, readme)
    write_readme(results, readme)
    assert readme.read_text() == f"before\n{BEGIN}\n{block(results)}\n{END}\nafter\n"
    assert "these photographs took 1.67 crops each" in block(results)
    assert "25 ms** | one turn | at most 20 ms (not reached)" in block(results)


def test_readme_shows_the_plot_from_where_it_stands(results: dict[str, Any], tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}{END}")
    write_readme(results, readme, tmp_path / "docs" / "bench.svg")
    assert readme.read_text().endswith(f"](docs/bench.svg)\n{END}")


def test_a_readme_without_the_markers_is_left_alone(results: dict[str, Any], tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("nothing")
    with pytest.raises(ValueError, match="has no place for the ratios"):
        write_readme(results, readme)
    assert readme.read_text() == "nothing"


def test_the_plot_names_every_system(results: dict[str, Any], tmp_path: Path) -> None:
    draw(results, tmp_path / "bench.svg")
    svg = (tmp_path / "bench.svg").read_text()
    assert all(f">{name}</text>" in svg for name in ("Whatsit", "usual bot", "bare openvino", "64 in flight"))
    assert ">decode only</text>" not in svg


@pytest.mark.parametrize(
    ("figure", "unit", "words"),
    [
        (7.123, "x", "7.12x"),
        (0.93, "share", "0.93"),
        (1 / 58, "share", "1/58"),
        (152.3, "MB", "152 MB"),
        (2.345, "ms", "2.35 ms"),
    ],
)
def test_figures_read_as_people_say_them(figure: float, unit: str, words: str) -> None:
    assert shown(figure, unit) == words


# The command


def test_results_can_be_shown_again(
    results: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bench.json").write_text(json.dumps(results))
    assert bench.main(["--from", str(tmp_path / "bench.json"), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == results
    assert "What there is to reach" in printed.err


def test_a_row_that_does_not_exist_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        bench.main(["--rows", "1,9"])
    assert left.value.code == 2
    assert "no row 9; there are 0 cold_start, 1 pipeline" in capsys.readouterr().err


def test_results_that_are_not_there_are_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--from", "missing.json"]) == 1
    assert "missing.json" in capsys.readouterr().err


# The rows, for real, on a model that costs nothing


def test_the_loop_is_watched_while_images_are_in_flight(stage: Stage) -> None:
    row = rows.event_loop(stage, TINY, Model(), [], tell_nobody)
    assert row.data["beats"] > 0
    assert row.figures.keys() == {"loop_stall_p99_ms", "loop_stall_max_ms"}


def test_memory_and_growth_count_both_processes(stage: Stage) -> None:
    row = rows.memory_and_growth(stage, TINY, Model(), ["colorsys"], tell_nobody)
    assert [run["images"] for run in row.data["runs"]] == [3, 6, 12, 6, 12]
    assert all(run["bot_mb"] > 1 and run["worker_mb"] > 1 for run in row.data["runs"])
    assert row.data["waiting"]["bot_peak_mb"] >= row.data["idle"]["bot_mb"] * 0.9
    assert len(row.figures["growth_10k_over_1k"]) == 2
    assert row.data["bot_has"] == ["colorsys"]


def test_decoding_is_measured_for_every_format(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MEGAPIXELS", (0.3,))
    row = rows.decoding(stage, TINY, Model(), [], tell_nobody)
    assert [one["kind"] for one in row.data] == ["jpeg 0.3 MP", "png 0.3 MP", "webp 0.3 MP"]
    assert all(one["full_ms"] > 0 and one["scaled_ms"] > 0 for one in row.data)


def test_an_image_already_known_is_measured_against_a_new_one(stage: Stage) -> None:
    row = rows.repeat(stage, TINY, Model(), [], tell_nobody)
    assert len(row.figures["known_image"]) == 3


def test_a_cold_start_says_whether_tensorflow_was_loaded(stage: Stage) -> None:
    row = rows.cold_start(stage, TINY, Model(), [], tell_nobody)
    assert (row.data["engine"], row.data["tensorflow_loaded"]) == ("grey", False)
    assert len(row.figures["cold_start_s"]) == 1


def test_small_copies_are_fewer_bytes(stage: Stage) -> None:
    row = resized(stage, TINY, Model(), [], tell_nobody)
    assert row.data["small"]["kilobytes"] < row.data["whole"]["kilobytes"] / 10


def test_the_media_server_never_sends_the_same_bytes_twice(tmp_path: Path) -> None:
    [file] = make(SMALL, tmp_path, photographs=1)[:1]
    with media_server([file]) as address:
        bodies = [
            urlopen(f"{address}/{file.name}?number={number}&width=64&height=48").read()  # noqa: S310
            for number in range(3)
        ]
    assert len(set(bodies)) == 3
    assert {_size(body) for body in bodies} == {(64, 48)}


def test_a_system_that_cannot_start_says_why(tmp_path: Path) -> None:
    with GreyStage(tmp_path) as stage, pytest.raises(Failed, match="unheard_of"):
        stage.running("whatsit", settings=wanted(Model()), also=["unheard_of"])


def test_a_system_that_fails_says_why_and_goes_on(stage: Stage) -> None:
    with stage.fresh("whatsit", settings=wanted(Model()), also=[]) as running:
        with pytest.raises(Failed, match="nowhere"):
            running.ask("name", pictures=["nowhere.jpeg"])
        assert running.ask("idle", seconds=0.01).keys() == {"late_ms"}


def test_measuring_changes_only_the_caps() -> None:
    changed = Settings.model_validate(wanted(Model(), views="1"))
    usual = Settings()
    assert changed.model == usual.model.model_copy(update={"views": "1"})
    assert changed.queue.bytes == usual.queue.bytes
    assert (changed.worker, changed.limits) == (usual.worker, usual.limits)


# For real


@pytest.mark.timeout(600)  # the first run on a machine builds the model
def test_the_usual_bot_and_whatsit_see_the_same_cat(tmp_path: Path) -> None:
    model = Model(name=bench.MODEL)
    with Stage(tmp_path, photographs=1) as stage:
        pictures = stage.pictures(SMALL)
        both = [
            (stage.running("whatsit", settings=wanted(model, views="1"), also=[]), {}),
            (stage.running("usual", model=model.model_dump(mode="json")), {"one_thread": False}),
        ]
        for running, extra in both:
            assert all("cat" in name or "tabby" in name for name in running.ask("name", pictures=pictures))
            sample = running.ask(
                "measure", pictures=pictures, start=stage.numbers(6), count=6, in_flight=3, **extra
            )
            assert len(sample["latencies_ms"]) == 6
            assert sample["core_seconds"] > 0
