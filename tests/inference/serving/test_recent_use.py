"""What a group has used of late."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from inference.serving.recent_use import FADING_SECONDS, RecentUse


def test_what_was_used_is_added_up_and_fades(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr("inference.serving.recent_use.time", SimpleNamespace(monotonic=lambda: clock.now))
    use = RecentUse()
    use.add("a", 2)
    use.add("a", 1)
    assert use.of("a") == 3
    assert use.of("b") == 0
    clock.now += 2 * FADING_SECONDS
    assert 0.3 < use.of("a") < 0.5


def test_a_correction_leaves_nothing_below_zero() -> None:
    use = RecentUse()
    use.add("a", 1)
    use.add("a", -5)
    assert use.of("a") == 0
