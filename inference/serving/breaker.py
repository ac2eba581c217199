"""The circuit breaker: while the worker keeps dying and no picture is to blame, stop trying."""

from __future__ import annotations

import time
from collections import deque

from inference.results import ModelUnavailable

CRASHES = 3
WINDOW_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


class CircuitBreaker:
    """Opens for a pause after three unexplained crashes in a minute; after the pause, one image is a trial.

    The pause doubles each time the trial fails, and starts over after one that succeeds.
    """

    def __init__(self) -> None:
        self._crashes: deque[float] = deque()
        self._reason = ""
        self._until: float | None = None
        self._pause = FIRST_PAUSE_SECONDS

    @property
    def is_open(self) -> bool:
        """Whether it was opened, and no batch was answered since; after the pause, too."""
        return self._until is not None

    def check(self, *, working: bool) -> None:
        """Raise ModelUnavailable while it is open, or while another image (`working`) is the trial."""
        if self._until is None:
            return
        left = self._until - time.monotonic()
        if left > 0:
            raise ModelUnavailable(f"{self._reason} The next try is in {left:.0f} seconds.")
        if working:
            raise ModelUnavailable(f"{self._reason} It is being tried again right now.")

    def crashed(self) -> bool:
        """Count a crash that no image explains. Returns whether it is time to `open`."""
        now = time.monotonic()
        self._crashes.append(now)
        while now - self._crashes[0] > WINDOW_SECONDS:
            self._crashes.popleft()
        return len(self._crashes) >= CRASHES

    def open(self, reason: str) -> None:
        """Refuse everything for a pause, which is longer each time. `reason` is a whole sentence."""
        self._reason = reason
        self._until = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        self._crashes.clear()

    def succeeded(self) -> None:
        """Close it, because the worker answered a batch."""
        if self._until is not None:
            self._until = None
            self._pause = FIRST_PAUSE_SECONDS
