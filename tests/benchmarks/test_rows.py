"""The comparison's other rows, for real, on a model that costs nothing. No test looks at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import rows
from benchmarks.plan import QUICK
from benchmarks.resized_downloads import resized_downloads
from inference.bench.session import BenchSession
from tests.inference.bench.sessions import grey_session

TINY = replace(QUICK, decode_count=1, processed=(3, 6, 12), waiting=3, resized_count=3)


@pytest.fixture
def session(tmp_path: Path) -> BenchSession:
    return grey_session(tmp_path, also=["colorsys"], whatsit="benchmarks.compared_whatsit:ComparedWhatsit")


def test_memory_and_growth_count_both_processes(session: BenchSession) -> None:
    row = rows.memory_and_growth(session, TINY)
    assert [run["images"] for run in row.data["runs"]] == [3, 6, 12, 6, 12]
    assert all(run["bot_mb"] > 1 and run["worker_mb"] > 1 for run in row.data["runs"])
    assert row.data["waiting"]["bot_peak_mb"] >= row.data["idle"]["bot_mb"] * 0.9
    assert len(row.figures["growth_10k_over_1k"]) == 2
    assert row.data["bot_has"] == ["colorsys"]


def test_decoding_is_measured_for_every_format(
    session: BenchSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MEGAPIXELS", (0.3,))
    row = rows.decoding(session, TINY)
    assert [one["kind"] for one in row.data] == ["jpeg 0.3 MP", "png 0.3 MP", "webp 0.3 MP"]
    assert all(one["full_ms"] > 0 and one["scaled_ms"] > 0 for one in row.data)


def test_small_copies_are_fewer_bytes(session: BenchSession) -> None:
    row = resized_downloads(session, TINY)
    assert row.data["small"]["kilobytes"] < row.data["whole"]["kilobytes"] / 10
