"""The marks that tests of every part may carry."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


def pytest_configure(config: pytest.Config) -> None:
    for mark in (
        "whatsit(message_content=True, **sections): what the bot of this test is set to, as in whatsit.toml",
        "logs_errors: this test provokes an error that belongs in the log",
        "real_model: this test loads the embedded model",
    ):
        config.addinivalue_line("markers", mark)


@pytest.fixture(autouse=True)
def warnings_are_seen(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A test reads the bot's warnings, whatever a library has done to the root logger. A test that does such
    a thing itself fails, and it is undone."""
    caplog.set_level(logging.WARNING, logger="bot")
    root = logging.getLogger()
    before = root.level
    yield
    after = root.level
    root.setLevel(before)
    assert after == before, "the root logger was left at another level"
