"""How many cores may be used, whoever limits them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inference import cpus


@pytest.mark.parametrize(
    ("files", "own", "cores"),
    [
        ({"cpu.max": "max 100000"}, "0::/", 8),
        ({"cpu.max": "150000 100000"}, "0::/", 2),
        ({"a/b/cpu.max": "300000 100000", "a/cpu.max": "100000 100000"}, "0::/a/b", 1),
        ({"cpu,cpuacct/docker/cpu.cfs_quota_us": "250000"}, "4:cpu,cpuacct:/docker\n3:memory:/docker", 3),
        ({"cpu,cpuacct/docker/cpu.cfs_quota_us": "-1"}, "4:cpu,cpuacct:/docker", 8),
        ({"cpu.max": "10000 100000"}, "0::/", 1),
        ({}, "0::/gone", 8),
    ],
)
def test_threads_are_the_cores_that_may_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], own: str, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
        if path.name == "cpu.cfs_quota_us":
            path.with_name("cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "own").write_text(own + "\n")
    assert cpus.usable(tmp_path, tmp_path / "own") == cores
