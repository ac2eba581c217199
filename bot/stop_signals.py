"""Heed the signals that tell a process to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """Give an event that the first SIGINT or SIGTERM sets; the second one ends the process at once."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def obey(_signal: int, _frame: FrameType | None) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(told.set)

    before = {number: signal.signal(number, obey) for number in STOP_SIGNALS}
    try:
        yield told
    finally:
        for number, handler in before.items():
            if not told.is_set():
                signal.signal(number, handler)
