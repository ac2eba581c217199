"""When the worker keeps dying, trying stops for a while."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from inference.results import ModelUnavailable
from inference.serving.breaker import CircuitBreaker


class BreakerClock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("inference.serving.breaker.time", SimpleNamespace(monotonic=lambda: self.now))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> BreakerClock:
    return BreakerClock(monkeypatch)


def test_the_breaker_opens_at_the_third_unexplained_crash_in_a_minute(clock: BreakerClock) -> None:
    breaker = CircuitBreaker()
    assert not breaker.crashed()
    clock.now += 61
    assert not breaker.crashed()
    assert not breaker.crashed()
    breaker.check(working=True)
    assert breaker.crashed()


def test_the_pause_doubles_until_a_trial_succeeds(clock: BreakerClock) -> None:
    breaker = CircuitBreaker()
    for pause in (5, 10, 20):
        breaker.open("Broken.")
        with pytest.raises(ModelUnavailable, match=f"Broken. The next try is in {pause} seconds"):
            breaker.check(working=False)
        clock.now += pause
        breaker.check(working=False)
        with pytest.raises(ModelUnavailable, match="tried again right now"):
            breaker.check(working=True)
    breaker.succeeded()
    breaker.check(working=True)
    breaker.open("Broken.")
    with pytest.raises(ModelUnavailable, match="in 5 seconds"):
        breaker.check(working=False)


def test_the_pause_does_not_grow_for_ever(clock: BreakerClock) -> None:
    breaker = CircuitBreaker()
    for _ in range(20):
        breaker.open("Broken.")
    with pytest.raises(ModelUnavailable, match="in 300 seconds"):
        breaker.check(working=False)
