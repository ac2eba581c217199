"""The marks that tests of every part may carry."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    for mark in (
        "whatsit(message_content=True, **sections): what the bot of this test is set to, as in whatsit.toml",
        "logs_errors: this test provokes an error that belongs in the log",
        "real_model: this test loads the embedded model",
    ):
        config.addinivalue_line("markers", mark)
