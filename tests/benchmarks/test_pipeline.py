"""The comparison's turns, and the ratios that come of them."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from benchmarks.photographs import photographs
from benchmarks.pipeline import INT8, pipeline
from benchmarks.plan import FULL, QUICK
from benchmarks.targets import TARGETS
from config.settings import Model
from inference.bench.__main__ import MODEL
from inference.bench.machine import describe
from inference.bench.pictures import ASPECTS, SMALL
from inference.bench.results import assemble
from inference.bench.session import BenchSession
from tests.benchmarks.canned import CannedSession

FULL_ONLY = {"growth_10k_over_1k", "memory_growth_10k", "bot_rss_mb", "worker_rss_mb"}


@pytest.fixture
def results(tmp_path: Path) -> dict[str, Any]:
    row = pipeline(CannedSession(tmp_path), QUICK)
    made = assemble({"pipeline": row}, TARGETS, kind="quick", model="m", machine=describe(), seconds=1.2)
    return dict(json.loads(json.dumps(made)))


def test_the_ratios_are_flat_numbers_under_the_names_of_the_targets(results: dict[str, Any]) -> None:
    assert results["ratios"].keys() <= TARGETS.keys()
    assert all(isinstance(figure, float) for figure in results["ratios"].values())
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
    row = pipeline(CannedSession(tmp_path), replace(QUICK, bare=FULL.bare))
    assert row.skipped["bare litert"] == "ModuleNotFoundError: that engine is not installed"
    assert "bare tensorflow" not in row.skipped
    assert "bare tensorflow" in {one["system"] for one in row.data["small"]}


def test_no_two_turns_get_the_same_images(tmp_path: Path) -> None:
    session = CannedSession(tmp_path)
    pipeline(session, QUICK)
    spans = [
        range(asked["start"], asked["start"] + asked["count"])
        for system in session.canned.values()
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


@pytest.mark.timeout(600)  # the first run on a machine builds the model
def test_the_usual_bot_and_whatsit_see_the_same_cat(tmp_path: Path) -> None:
    model = Model(name=MODEL)
    session = BenchSession(
        tmp_path,
        model,
        report=lambda _: None,
        originals=lambda: photographs()[:1],
        whatsit="benchmarks.compared_whatsit:ComparedWhatsit",
    )
    pictures = session.pictures(SMALL)
    with (
        session.whatsit(views="1") as whatsit,
        session.start("benchmarks.usual_bot:UsualBot", model=model.model_dump(mode="json")) as usual,
    ):
        for running, extra in ((whatsit, {}), (usual, {"one_thread": False})):
            assert all("cat" in name or "tabby" in name for name in running.ask("name", pictures=pictures))
            sample = running.ask("measure", **session.images(SMALL, 6), in_flight=3, **extra)
            assert len(sample["latencies_ms"]) == 6
            assert sample["core_seconds"] > 0
