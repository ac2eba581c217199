"""Let `on_ready` come as soon as all is there that READY listed; discord.py waits two seconds for more."""

from __future__ import annotations

from functools import partial
from typing import Any

from discord.state import ConnectionState

from bot.connection.event_guard import READY, Parser

GUILD_CREATE = "GUILD_CREATE"
MOMENT = 0.05
"""Seconds that discord.py waits for more when nothing is missing."""


class QuickReady:
    """A spare that takes over looks for what was missed only then, so each second is one of silence."""

    def __init__(self, state: ConnectionState[Any]) -> None:
        self._state = state
        self._patience: float | None = None
        self._missing: set[str] = set()
        parsers = state.parsers
        parsers[READY] = partial(self._ready, parsers[READY])
        parsers[GUILD_CREATE] = partial(self._guild_created, parsers[GUILD_CREATE])

    def _ready(self, parse: Parser, data: Any) -> None:
        if self._patience is None:
            self._patience = self._state.guild_ready_timeout
        parse(data)
        self._missing = {str(guild["id"]) for guild in data["guilds"]}
        self._set_patience()

    def _guild_created(self, parse: Parser, data: Any) -> None:
        parse(data)
        self._missing.discard(str(data["id"]))
        self._set_patience()

    def _set_patience(self) -> None:
        if self._patience is None:  # before any READY
            return
        # discord.py reads it anew each time that it begins to wait for the next server.
        self._state.guild_ready_timeout = self._patience if self._missing else MOMENT
