"""Remembers for a day that the Hub was out of reach, so that not every start of `auto` waits for it again."""

from __future__ import annotations

import time
from pathlib import Path

FILE = "hub-out-of-reach"
"""Its time is when that was."""

KEPT_SECONDS = 24 * 60 * 60.0


def remember(cache_dir: Path) -> bool:
    """Keep under `cache_dir` that the Hub is out of reach now; False where nothing can be written there."""
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        (cache_dir / FILE).touch()
    except OSError:
        return False
    return True


def is_recent(cache_dir: Path) -> bool:
    """Return whether the Hub was out of reach less than a day ago; False where that cannot be read."""
    try:
        since = time.time() - (cache_dir / FILE).stat().st_mtime
    except OSError:
        return False
    return 0 <= since < KEPT_SECONDS


def forget(cache_dir: Path) -> None:
    """Let the next start ask the Hub. Raises `OSError` where that cannot be written."""
    (cache_dir / FILE).unlink(missing_ok=True)
