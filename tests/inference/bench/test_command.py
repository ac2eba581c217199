"""`python -m inference.bench`: what it prints and writes."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from inference.bench import __main__ as bench
from inference.bench.machine import describe, processor
from inference.bench.report import print_tables
from inference.bench.results import assemble
from inference.bench.rows import BenchRow
from inference.bench.targets import TARGETS, BenchTarget


@pytest.fixture
def results() -> dict[str, Any]:
    found = {
        "event_loop": BenchRow(
            data={"in_flight": 500, "busy": {"p99_ms": 2.0, "max_ms": 25.0}},
            figures={"loop_stall_p99_ms": [2.0], "loop_stall_max_ms": [25.0]},
        ),
        "cold_start": BenchRow(
            data={"seconds": [1.0, 3.0, 2.0]},
            figures={"cold_start_s": [1.0, 3.0, 2.0]},
            skipped={"known_image": "no time"},
        ),
        "throughput": BenchRow(data={"small": [{"in_flight": 1, "images_per_second": 40.0}]}),
    }
    machine = describe() | {"busy": 0.0}
    # As it comes back from the file that it is written to.
    made = assemble(found, TARGETS, kind="short", model="m", machine=machine, seconds=1.23)
    return dict(json.loads(json.dumps(made)))


def printed(results: dict[str, Any]) -> str:
    text = io.StringIO()
    print_tables(results, Console(file=text, width=160), TARGETS)
    return text.getvalue()


def test_the_ratios_are_flat_numbers_under_the_names_of_the_targets(results: dict[str, Any]) -> None:
    assert results["ratios"] == {"loop_stall_p99_ms": 2.0, "loop_stall_max_ms": 25.0, "cold_start_s": 2.0}
    assert results["targets"]["loop_stall_max_ms"] == {"at": "most", "value": 20, "reached": False}


def test_the_median_is_quoted_with_its_ends(results: dict[str, Any]) -> None:
    assert results["spreads"]["cold_start_s"] == {"min": 1.0, "max": 3.0, "values": [1.0, 3.0, 2.0]}


def test_every_figure_is_there_or_its_reason_is(results: dict[str, Any]) -> None:
    assert results["ratios"].keys() | results["skipped"].keys() == TARGETS.keys()
    assert results["skipped"] == {"known_image": "no time"}


def test_tables_show_each_figure_beside_what_there_is_to_reach(results: dict[str, Any]) -> None:
    text = printed(results)
    assert re.search(r"the longest stall.*25 ms.*one turn.*at most 20 ms.*not reached", text)
    assert re.search(r"stall of the event loop, p99.*2 ms.*at most 3 ms.*reached", text)
    assert re.search(r"first answer.*2 s.*1 s to 3 s", text)
    assert "Not measured: known_image. no time" in text
    assert "not quiet" not in text


def test_tables_show_what_every_row_found(results: dict[str, Any]) -> None:
    text = printed(results)
    assert re.search(r"busy max ms.*25", text)
    assert re.search(r"images per second", text)


def test_a_busy_machine_is_told_on(results: dict[str, Any]) -> None:
    results["machine"]["busy"] = 1.7
    assert "not quiet" in printed(results)


def test_the_processor_is_described_with_its_instruction_sets_and_what_they_are_kept_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = tmp_path / "cpuinfo"
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    listing.write_text(
        "model name\t: Some Xeon\nflags\t: fpu avx avx2 avx512f avx512_vnni\n\nprocessor\t: 1\n"
    )
    assert processor(listing) == "Some Xeon (avx2, avx512f, avx512_vnni)"
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert processor(listing) == "Some Xeon (avx2, avx512f, avx512_vnni; kept to AVX2)"


def test_the_machine_is_described_without_naming_it(results: dict[str, Any]) -> None:
    assert {"cpu", "cores", "date", "versions", "python"} <= results["machine"].keys()
    assert "/" not in json.dumps(results["machine"]["system"])


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
def test_figures_read_as_people_say_them(figure: float, unit: Any, words: str) -> None:
    assert BenchTarget("", 1, unit=unit).shown(figure) == words


def test_the_results_go_to_standard_output_and_the_tables_elsewhere(
    results: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "measure", lambda *_, **__: results)
    assert bench.main(["--json"]) == 0
    written = capsys.readouterr()
    assert json.loads(written.out) == results
    assert "What there is to reach" in written.err


def test_a_model_that_is_not_there_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--model", "no_such_model"]) == 1
    assert "There is no model no_such_model" in " ".join(capsys.readouterr().err.split())
