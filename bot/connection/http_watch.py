"""Watch every request to Discord's API and every answer, at the one place through which all of them go."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from types import SimpleNamespace

import aiohttp
from discord.http import Route
from yarl import URL

from bot.connection.closed_channels import ClosedChannels
from bot.connection.discord_clock import DiscordClock
from bot.connection.rate_limit_waits import RateLimitWaits
from bot.connection.request_brake import RequestBrake


class HttpWatch:
    """What the bot learns from Discord's answers: which requests are refused, where, and what time it is."""

    def __init__(self) -> None:
        self.brake = RequestBrake()
        self.channels = ClosedChannels()
        self.clock = DiscordClock()
        self.waits = RateLimitWaits()
        self.on_refusal: Callable[[], None] = lambda: None
        """Called after each refusal."""

    def trace(self) -> aiohttp.TraceConfig:
        """Return what discord.py's client takes as `http_trace`; what is held raises `RequestHeld`."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._begins)
        trace.on_request_end.append(self._answered)
        return trace

    async def _begins(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        start: aiohttp.TraceRequestStartParams,
    ) -> None:
        if _is_of_the_api(start.url):
            self.brake.check(start.url.path)
            self.channels.check(start.method, start.url.path)

    async def _answered(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, end: aiohttp.TraceRequestEndParams
    ) -> None:
        response = end.response
        if not _is_of_the_api(end.url):
            return
        self.clock.dated(response.headers.get("Date"))
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            self.waits.refused(_seconds(response.headers.get("Retry-After")))
        shared = response.headers.get("X-RateLimit-Scope") == "shared"
        if not self.brake.answered(end.url.path, response.status, shared=shared):
            return
        if response.status == HTTPStatus.FORBIDDEN:
            code = _code(await response.read())  # discord.py gets the same bytes
            self.channels.answered(end.method, end.url.path, response.status, code)
        self.on_refusal()


def _is_of_the_api(url: URL) -> bool:
    return str(url).startswith(Route.BASE)


def _seconds(text: str | None) -> float:
    """Return how long a refused request waits; 0 where that is not told."""
    try:
        return float(text or 0.0)
    except ValueError:  # a date, from what is in between
        return 0.0


def _code(body: bytes) -> int | None:
    """Return Discord's own code for a refusal; None if it is not Discord that answers."""
    try:
        code = json.loads(body)["code"]
    except (ValueError, LookupError, TypeError):
        return None
    return code if isinstance(code, int) else None
