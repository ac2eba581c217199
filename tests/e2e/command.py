"""Runs the `whatsit` command as its user would: in a process of its own, by its real entry point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["CAT", "COFFEE", "HOPPER", "ROOT", "TIMEOUT", "WHATSIT", "environment", "lines", "whatsit"]

ROOT = Path(__file__).parents[2]
WHATSIT = (sys.executable, "-m", "bot")
TIMEOUT = 100.0
"""Seconds. The first run of a machine builds the embedded model."""


def _packaged(package: str, file: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / file


HOPPER = _packaged("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")
CAT = _packaged("skimage", "data/chelsea.png")
COFFEE = _packaged("skimage", "data/coffee.png")


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without a token or settings, with the model that needs no network."""
    ours = {
        name: value for name, value in os.environ.items() if not name.startswith(("WHATSIT_", "DISCORD_"))
    }
    return (
        ours
        | {"WHATSIT_MODEL__NAME": "efficientnet_lite0", "COLUMNS": "100", "LC_ALL": "C.UTF-8"}
        | variables
    )


def whatsit(
    *arguments: str | Path,
    variables: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    command: Sequence[str] = WHATSIT,
    timeout: float = TIMEOUT,
) -> subprocess.CompletedProcess[bytes]:
    """The command, run to its end."""
    return subprocess.run(
        [*command, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env=environment(**(variables or {})),
        cwd=ROOT,
        timeout=timeout,
        check=False,
    )


def lines(run: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    """What `--json` printed."""
    return [json.loads(line) for line in run.stdout.splitlines()]
