"""`whatsit bench` hands over to `inference.bench`, options, output and exit code."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bot import cli


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", "bench", *options], capture_output=True, text=True, check=False
    )


def test_its_options_are_the_benchmarks_own() -> None:
    told = bench("--help")
    assert told.returncode == 0
    assert "whatsit bench" in told.stdout
    assert "--json" in told.stdout


def test_a_failure_of_the_benchmark_is_a_failure_of_the_command() -> None:
    failed = bench("--model", "no_such_model")
    assert failed.returncode == 1
    assert "no_such_model" in failed.stderr


def test_no_other_command_takes_options_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["models", "--quick"])
    assert left.value.code == 2
    assert "unrecognized arguments: --quick" in capsys.readouterr().err
