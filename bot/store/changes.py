"""What the processes on one store tell each other, so that none goes by what another one has changed.

The one process on a SQLite file has nobody to tell: this costs it nothing. On a PostgreSQL that is shared
(`store.shared`), `bot.store.change_listener` does it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection


class Change(NamedTuple):
    """What has changed: the name of a table or of an event, and of whom or what (an id, or a hash)."""

    what: str
    id: int | str


class Changes:
    """Hands out to `on` what other processes tell, and to `on_gap` that something may have been missed."""

    is_shared = False
    """Whether there may be other processes."""

    def __init__(self) -> None:
        self.is_heard = True
        """Whether every change of another process is heard. If not, no copy of what is stored may be kept."""
        self._handlers: defaultdict[str, list[Callable[[str], None]]] = defaultdict(list)
        self._gap_handlers: list[Callable[[], None]] = []

    def on(self, what: str, handler: Callable[[int], None]) -> None:
        """Call `handler` with the id whenever another process tells that this has changed."""
        self.on_text(what, lambda told: handler(int(told)))

    def on_text(self, what: str, handler: Callable[[str], None]) -> None:
        """Do the same for what has no number; `handler` gets what was told as text."""
        self._handlers[what].append(handler)

    def on_gap(self, handler: Callable[[], None]) -> None:
        """Call `handler` when changes cannot be heard any more, and again when they can."""
        self._gap_handlers.append(handler)

    def drop_all(self) -> None:
        """Have every copy of what is stored dropped."""
        for handler in self._gap_handlers:
            handler()

    async def announce(self, connection: AsyncConnection, changes: Iterable[Change]) -> None:
        """Tell the others of changes, once the connection's transaction is kept."""

    async def start(self) -> None:
        """Begin to listen. Raises a `StoreError`."""

    async def close(self) -> None:
        """Stop listening."""

    def _hand_out(self, what: str, told: str) -> None:
        for handler in self._handlers.get(what, ()):
            handler(told)
