"""The soak itself, for a few seconds: the long run is `make soak`."""

from __future__ import annotations

import pytest

from tests.soak.__main__ import soak


async def test_the_books_balance_after_a_short_soak(capsys: pytest.CaptureFixture[str]) -> None:
    assert await soak(minutes=0.15, seed=7) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("accepted ")
    assert last.endswith(": yes")
