"""The unit of systemd: that it is one, and how much it leaves to who takes the bot over.

That the bot and its sandbox work under it is shown by `tests.deployment.operations`.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from shutil import which

import pytest

from config.loading import load

DEPLOY = Path(__file__).parents[2] / "deploy"
UNIT = (DEPLOY / "whatsit.service").read_text(encoding="utf-8")
PROGRAM = "/opt/whatsit/.venv/bin/whatsit"
EXPOSURE = 2.0
"""What systemd's own figure, from 0 to 10, must stay under."""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that is there."""
    assert PROGRAM in UNIT
    file = tmp_path / "whatsit.service"
    file.write_text(UNIT.replace(PROGRAM, "/bin/true"), encoding="utf-8")
    return file


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze; the test is skipped without it, except in CI."""
    if which("systemd-analyze") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("systemd-analyze is missing: install systemd")
    done = subprocess.run(
        ["systemd-analyze", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    if "--offline" in done.stderr:  # an old one
        (pytest.fail if os.environ.get("CI") else pytest.skip)("systemd-analyze is older than 250")
    return done


def test_systemd_understands_it(unit: Path) -> None:
    done = analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_does_not_understand_a_misspelt_one(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("NoNewPrivileges=", "NoNewPrivilege="), encoding="utf-8")
    assert "NoNewPrivilege" in analyze("verify", "--man=no", unit).stderr


def test_it_leaves_little_open(unit: Path) -> None:
    done = analyze("security", "--offline=true", unit)
    exposure = re.search(r"Overall exposure level for \S+ (\d+\.\d)", done.stdout)
    assert exposure is not None, done.stderr
    assert float(exposure[1]) < EXPOSURE


def test_its_folders_are_those_of_the_settings() -> None:
    settings = load(DEPLOY / "whatsit.toml", {})
    folders = dict(re.findall(r"^(State|Cache)Directory=(\S+)$", UNIT, re.MULTILINE))
    assert str(settings.data.dir) == f"/var/lib/{folders['State']}"
    assert str(settings.model.cache_dir) == f"/var/cache/{folders['Cache']}"
    assert settings.metrics.address is not None
