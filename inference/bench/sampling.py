"""What one process can tell about itself: seconds, core-seconds, resident size."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

__all__ = ["clocked", "has_tensorflow", "peak", "read", "resident_mb", "team"]

PEAK_EVERY = 0.005
"""Seconds between two looks at the resident size."""


def team() -> list[psutil.Process]:
    """This process and every process below it."""
    own = psutil.Process()
    return [own, *own.children(recursive=True)]


@contextmanager
def clocked() -> Iterator[dict[str, Any]]:
    """Fills in the block's `seconds`, and the `core_seconds` of this process and those below it."""
    sample: dict[str, Any] = {}
    began, used = time.perf_counter(), _core_seconds()
    yield sample
    sample["seconds"] = time.perf_counter() - began
    sample["core_seconds"] = _core_seconds() - used


@contextmanager
def peak() -> Iterator[list[float]]:
    """This process's largest resident size meanwhile, in megabytes (10^6 bytes), as the list's one item."""
    largest = [0.0]
    over = threading.Event()
    own = psutil.Process()

    def watch() -> None:
        while not over.wait(PEAK_EVERY):
            largest[0] = max(largest[0], resident_mb(own))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield largest
    finally:
        over.set()
        watcher.join()


def resident_mb(process: psutil.Process) -> float:
    """Resident size in megabytes (10^6 bytes)."""
    return float(process.memory_info().rss) / 1e6


def has_tensorflow(process: psutil.Process) -> bool:
    """Whether TensorFlow's library is mapped into that process."""
    return any("tensorflow" in mapped.path for mapped in process.memory_maps())


def read(pictures: list[str]) -> list[bytes]:
    """The files' bytes."""
    return [Path(picture).read_bytes() for picture in pictures]


def _core_seconds() -> float:
    return sum(times.user + times.system for times in (process.cpu_times() for process in team()))
