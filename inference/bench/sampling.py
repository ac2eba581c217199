"""What a measured process can tell of itself: seconds, core-seconds and resident size."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

__all__ = ["clocked", "own_processes", "read", "resident_mb"]


def own_processes() -> list[psutil.Process]:
    """List this process and every process below it."""
    own = psutil.Process()
    return [own, *own.children(recursive=True)]


@contextmanager
def clocked() -> Iterator[dict[str, Any]]:
    """Fill in the block's `seconds`, and the `core_seconds` of this process and those below it."""
    sample: dict[str, Any] = {}
    began, used = time.perf_counter(), _core_seconds()
    yield sample
    sample["seconds"] = time.perf_counter() - began
    sample["core_seconds"] = _core_seconds() - used


def resident_mb(process: psutil.Process) -> float:
    """Return the resident size in megabytes (10^6 bytes)."""
    return float(process.memory_info().rss) / 1e6


def read(pictures: list[str]) -> list[bytes]:
    """Read the files' bytes."""
    return [Path(picture).read_bytes() for picture in pictures]


def _core_seconds() -> float:
    return sum(times.user + times.system for times in (process.cpu_times() for process in own_processes()))
