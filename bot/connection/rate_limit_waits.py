"""Count how long requests wait for Discord's rate limits, of which discord.py tells nothing."""

from __future__ import annotations

import time

from discord.http import HTTPClient, Ratelimit


class RateLimitWaits:
    """How often a kind of requests was held back, and for how many seconds in all."""

    def __init__(self) -> None:
        self.times = 0
        self.seconds = 0.0
        self._longest: float | None = None

    def waited(self, seconds: float) -> None:
        """Count one wait."""
        self.times += 1
        self.seconds += seconds

    def refused(self, seconds: float) -> None:
        """Count the wait for which a request was refused with a 429, unless it is given up for its length."""
        if self._longest is None or seconds <= self._longest:
            self.waited(seconds)

    def watch(self, http: HTTPClient) -> None:
        """Count the waits by which discord.py keeps to the limits that Discord announces.

        What Discord refuses all the same, with a 429, is told to `refused`.
        """
        self._longest = http.max_ratelimit_timeout
        limits = http._buckets  # noqa: SLF001 - made anew by nobody

        def limit(key: str) -> Ratelimit:
            if key not in limits:
                limits[key] = _WatchedRatelimit(self, http.max_ratelimit_timeout)
                http._try_clear_expired_ratelimits()  # noqa: SLF001 - as discord.py does
            return limits[key]

        http.get_ratelimit = limit  # type: ignore[method-assign]


class _WatchedRatelimit(Ratelimit):
    __slots__ = ("_waits",)

    def __init__(self, waits: RateLimitWaits, longest: float | None) -> None:
        super().__init__(longest)
        self._waits = waits

    async def _refresh(self) -> None:
        """Wait until Discord takes requests again; those that are held back wait for this one."""
        wanted, begun = self.reset_after, time.perf_counter()
        await super()._refresh()
        taken = time.perf_counter() - begun
        if 0 < wanted <= taken:  # else there is no limit, or the wait would be too long and was given up
            self._waits.waited(taken)
