"""How a Python process of our own is started: the worker and the model jobs."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

NEEDED = (
    "PATH|HOME|USERPROFILE|SYSTEMROOT|TMPDIR|TEMP|TMP|LANG|LANGUAGE|LC_[A-Z]+|TZ",
    "LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|VIRTUAL_ENV|PYTHON[A-Z]+|COVERAGE_[A-Z_]+",
    # What sets the threads, instructions and memory of the numeric libraries.
    "(OMP|MKL|OPENBLAS|BLIS|NUMEXPR|TBB|ONEDNN|DNNL|OV|OPENVINO|TF|TFHUB|CUDA|XLA|MALLOC|GLIBC)_[A-Z_]+",
    "XDG_CACHE_HOME",
)
"""Patterns of the variables that each process of ours may see."""
NEEDED_FOR_NETWORK = ("(?i:https?_proxy|no_proxy|all_proxy)|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE",)

ROOT = Path(__file__).resolve().parents[1]
"""The folder that our packages are in."""


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `module` with this interpreter.

    The current folder is not on its path, and it prints no warnings.
    """
    return [sys.executable, "-P", "-W", "ignore", "-m", module, *arguments]


def own_environment(
    *,
    defaults: Mapping[str, str] | None = None,
    forced: Mapping[str, str] | None = None,
    network: bool = False,
) -> dict[str, str]:
    """Return the environment of a process of ours: what is harmless of this one, and where our packages are.

    What decodes strangers' pictures must not find the bot's token, a proxy's password or any other secret, so
    only variables that are known to be needed pass. `defaults` give way to what is set already, `forced` does
    not. `network`: the process downloads, and needs to know of proxies and certificates.
    """
    passing = re.compile("|".join((*NEEDED, *NEEDED_FOR_NETWORK) if network else NEEDED))
    inherited = {name: value for name, value in os.environ.items() if passing.fullmatch(name)}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**(defaults or {}), **inherited, **(forced or {}), "PYTHONPATH": path}
