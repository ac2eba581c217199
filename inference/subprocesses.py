"""How a Python process of our own is started: the worker, the model jobs, the measured systems."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["module_command", "own_environment"]

ROOT = Path(__file__).resolve().parents[1]


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `module` with this interpreter.

    The current folder is not on its path, and it prints no warnings.
    """
    return [sys.executable, "-P", "-W", "ignore", "-m", module, *arguments]


def own_environment(
    *, defaults: Mapping[str, str] | None = None, forced: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return this process's environment with our own packages on the path.

    `defaults` give way to what is set already, `forced` does not.
    """
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**(defaults or {}), **os.environ, **(forced or {}), "PYTHONPATH": path}
