"""`python -m benchmarks`: what it writes, and how it ends."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.pipeline import pipeline
from benchmarks.plan import QUICK
from benchmarks.plot import draw
from benchmarks.report import BEGIN, END, block, write_readme
from benchmarks.targets import TARGETS
from inference.bench.machine import describe
from inference.bench.results import assemble
from inference.bench.rows import BenchRow
from tests.benchmarks.canned import CannedSession


@pytest.fixture
def results(tmp_path: Path) -> dict[str, Any]:
    found = {
        "pipeline": pipeline(CannedSession(tmp_path), QUICK),
        "event_loop": BenchRow(data={"in_flight": 500}, figures={"loop_stall_max_ms": [25.0]}),
    }
    made = assemble(found, TARGETS, kind="quick", model="m", machine=describe(), seconds=1.2)
    return dict(json.loads(json.dumps(made)))


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


def test_results_can_be_shown_again(
    results: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bench.json").write_text(json.dumps(results))
    assert benchmarks.main(["--from", str(tmp_path / "bench.json"), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == results
    assert "What there is to reach" in printed.err


def test_a_row_that_does_not_exist_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        benchmarks.main(["--rows", "decode,speed"])
    assert left.value.code == 2
    assert "no row speed; there are cold_start, pipeline" in capsys.readouterr().err


def test_results_that_are_not_there_are_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmarks.main(["--from", "missing.json"]) == 1
    assert "missing.json" in capsys.readouterr().err


@pytest.mark.parametrize("module", benchmarks.ALSO)
def test_what_the_measured_bot_imports_is_there(module: str) -> None:
    assert find_spec(module)


def test_the_committed_results_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    committed = Path(__file__).parents[2] / "docs" / "bench.json"
    assert benchmarks.main(["--from", str(committed)]) == 0
    assert "bare onnxruntime" in capsys.readouterr().out
