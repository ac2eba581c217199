"""The rows of the short benchmark, for real, on a model that costs nothing. No test looks at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Model, Settings
from inference.bench.measured_process import MeasurementFailed
from inference.bench.rows import cold_start, event_loop, known_images, throughput
from inference.bench.session import BenchSession
from tests.inference.bench.sessions import grey_session


@pytest.fixture
def session(tmp_path: Path) -> BenchSession:
    return grey_session(tmp_path, also=["colorsys"])


def test_the_loop_is_watched_while_images_are_in_flight(session: BenchSession) -> None:
    row = event_loop(session, count=40)
    assert row.data["beats"] > 0
    assert row.figures.keys() == {"loop_stall_p99_ms", "loop_stall_max_ms"}


def test_an_image_already_known_is_measured_against_a_new_one(session: BenchSession) -> None:
    row = known_images(session, count=4)
    assert len(row.figures["known_image"]) == 3


def test_every_cold_start_is_a_turn(session: BenchSession) -> None:
    row = cold_start(session, starts=2)
    assert row.data["engine"] == "grey"
    assert len(row.figures["cold_start_s"]) == 2


def test_throughput_is_measured_at_each_number_in_flight_and_memory_in_both_processes(
    session: BenchSession,
) -> None:
    row = throughput(session, counts={1: 3, 4: 6})
    assert [one["in_flight"] for one in row.data["small"]] == [1, 4]
    assert all(one["images_per_second"] > 0 and one["core_ms"] > 0 for one in row.data["small"])
    assert row.data["memory"].keys() == {"bot_mb", "worker_mb"}
    assert min(row.data["memory"].values()) > 1


def test_a_system_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(MeasurementFailed, match="unheard_of"):
        grey_session(tmp_path, also=["unheard_of"]).whatsit()


def test_a_system_that_dies_says_so(session: BenchSession) -> None:
    with pytest.raises(MeasurementFailed, match="os:abort ended without an answer, with status -6"):
        session.start("os:abort")


def test_a_system_that_fails_says_why_and_goes_on(session: BenchSession) -> None:
    with session.whatsit() as whatsit:
        with pytest.raises(MeasurementFailed, match="nowhere"):
            whatsit.ask("measure", pictures=["nowhere.jpeg"], start=0, count=1, in_flight=1)
        assert whatsit.ask("idle", seconds=0.01).keys() == {"late_ms"}


def test_measuring_changes_only_the_caps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, dict[str, object]] = {}
    session = grey_session(tmp_path)
    monkeypatch.setattr(session, "start", lambda _, **options: asked.update(options))
    session.whatsit(views="1")
    changed = Settings.model_validate(asked["settings"])
    usual = Settings()
    assert changed.model == Model(views="1")
    assert changed.queue.bytes == usual.queue.bytes
    assert (changed.worker, changed.limits) == (usual.worker, usual.limits)
