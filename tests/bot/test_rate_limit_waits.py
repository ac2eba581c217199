"""Waits for rate limits are counted, and what only looks like one is not."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest
from discord.http import HTTPClient

from bot.connection.rate_limit_waits import RateLimitWaits


def limits(**headers: str) -> Any:
    """A response with these rate-limit headers."""
    return Mock(headers={"X-Ratelimit-" + name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
async def http() -> HTTPClient:
    return HTTPClient(asyncio.get_running_loop())


async def test_a_bucket_that_is_used_up_waits_until_it_is_filled_again(http: HTTPClient) -> None:
    waits = RateLimitWaits()
    waits.watch(http)
    async with http.get_ratelimit("POST messages") as _:
        http.get_ratelimit("POST messages").update(limits(Limit="5", Remaining="0", Reset_After="0.05"))
    assert waits.times == 1
    assert waits.seconds >= 0.05


async def test_a_request_without_limits_is_no_wait(http: HTTPClient) -> None:
    waits = RateLimitWaits()
    waits.watch(http)
    async with http.get_ratelimit("GET gateway"):
        pass
    assert waits.times == 0


async def test_a_refused_request_waits_as_long_as_it_is_told_unless_that_is_too_long() -> None:
    waits = RateLimitWaits()
    waits.watch(HTTPClient(asyncio.get_running_loop(), max_ratelimit_timeout=60))
    waits.refused(1.5)
    waits.refused(3600)
    assert (waits.times, waits.seconds) == (1, 1.5)


async def test_a_wait_that_would_be_too_long_is_given_up_and_not_counted() -> None:
    http = HTTPClient(asyncio.get_running_loop(), max_ratelimit_timeout=30)
    waits = RateLimitWaits()
    waits.watch(http)
    async with http.get_ratelimit("POST messages"):
        http.get_ratelimit("POST messages").update(limits(Limit="5", Remaining="0", Reset_After="3600"))
    assert waits.times == 0
