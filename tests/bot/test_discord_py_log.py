"""What discord.py logs of its connection is short and true."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import cast

import pytest
from discord.gateway import DiscordWebSocket

from bot.connection.discord_py_log import KeepAlive, ReconnectFilter


@pytest.fixture
def keep_alive() -> KeepAlive:
    socket = SimpleNamespace(
        HEARTBEAT=1, sequence=5, thread_id=0, _max_heartbeat_timeout=60.0, loop=None, shard_id=None
    )
    return KeepAlive(ws=cast("DiscordWebSocket", socket), interval=30.0)


def test_an_acknowledgement_that_comes_before_its_heartbeat_is_booked_is_not_late(
    keep_alive: KeepAlive, caplog: pytest.LogCaptureFixture
) -> None:
    keep_alive._last_send -= 30  # the heartbeat before
    assert keep_alive.get_payload() == {"op": 1, "d": 5}
    keep_alive.ack()
    assert keep_alive.latency < 1
    assert caplog.text == ""


def test_an_acknowledgement_that_is_late_is_told(
    keep_alive: KeepAlive, caplog: pytest.LogCaptureFixture
) -> None:
    keep_alive.get_payload()
    keep_alive._last_send -= 12
    keep_alive.ack()
    assert "12.0s behind" in caplog.text


def test_other_errors_keep_their_traceback() -> None:
    record = logging.LogRecord("discord.client", logging.ERROR, "", 0, "Ignoring exception", None, None)
    record.exc_info = (ValueError, ValueError("x"), None)
    assert ReconnectFilter().filter(record)
    assert record.exc_info is not None
    assert record.getMessage() == "Ignoring exception"
