"""Make what discord.py logs of its connection short and true."""

from __future__ import annotations

import logging
import time
from typing import Any

import discord.gateway
from discord.gateway import KeepAliveHandler


def tidy() -> None:
    """Change what discord.py logs from here on, for the whole process."""
    logging.getLogger("discord.client").addFilter(ReconnectFilter())
    discord.gateway.KeepAliveHandler = KeepAlive  # type: ignore[misc] # the one that HELLO starts


class ReconnectFilter(logging.Filter):
    """Says in one line why the connection is tried again, instead of with a traceback of 55."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the line of a failed attempt; let every line pass."""
        if str(record.msg).startswith("Attempting a reconnect") and isinstance(record.exc_info, tuple):
            error = record.exc_info[1]
            reason = " ".join(str(error).split())
            record.msg = f"The connection to the gateway failed (%s). {record.msg}."
            record.args = (f"{type(error).__name__}: {reason}", *(record.args or ()))
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
        return True


class KeepAlive(KeepAliveHandler):
    """Counts the time of a heartbeat from before it is sent.

    discord.py's own counts from after. An acknowledgement that arrives before is then held against the
    heartbeat before, and a healthy connection is logged to be "30.0s behind", a whole interval.
    """

    def get_payload(self) -> dict[str, Any]:
        """Return the heartbeat, which is sent at once."""
        self._last_send = time.perf_counter()
        return super().get_payload()
