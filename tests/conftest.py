"""The marks that tests of every part may carry."""

from __future__ import annotations

import logging
import os
import resource
import signal
import sys
from collections.abc import Iterator

import pytest


def pytest_configure(config: pytest.Config) -> None:
    os.environ["LC_ALL"] = "C.UTF-8"  # whatever the developer's terminal speaks
    # The telemetry of OpenVINO and NNCF forks this process, with all its threads, to ask a server.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment] # the way to forbid an import
    # What the tests start heeds Ctrl-C, also where a script started them with `&`: that has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for mark in (
        "whatsit(message_content=True, **sections): what the bot of this test is set to, as in whatsit.toml",
        "logs_errors: this test provokes an error that belongs in the log",
        "real_model: this test loads the embedded model",
    ):
        config.addinivalue_line("markers", mark)


@pytest.fixture(autouse=True)
def warnings_are_seen(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A test sees the bot's warnings, whatever a library or an earlier test has done to the loggers. A test
    that leaves the root logger at another level fails, and it is undone."""
    logging.disable(logging.NOTSET)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.partition(".")[0] == "bot" and isinstance(logger, logging.Logger):
            logger.disabled, logger.propagate = False, True
            logger.setLevel(logging.NOTSET)
    caplog.set_level(logging.WARNING, logger="bot")
    before = logging.root.level
    yield
    after = logging.root.level
    logging.root.setLevel(before)
    assert after == before, "the root logger was left at another level"


@pytest.fixture(autouse=True)
def rights_are_kept() -> Iterator[None]:
    """A test that has this process give up what no later test can get back fails: `forbid_dumps` does so."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    yield
    assert resource.getrlimit(resource.RLIMIT_CORE) == before, "this process may write no core dump any more"
