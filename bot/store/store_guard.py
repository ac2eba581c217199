"""Use the store for what an answer must not wait for, or fail with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from bot.store.faults import StoreClosed, StoreError

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

WITHIN = 2.0
"""Seconds that an answer waits for the store. What is slower is written all the same, a little later."""
QUIET = 60.0
"""Seconds between two lines of the log about a store that fails."""


class StoreGuard:
    """Calls the store; when it fails, that costs a line in the log and no answer."""

    def __init__(self) -> None:
        self._complained = -QUIET

    async def write(
        self,
        write: Callable[P, Awaitable[None]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Write, and wait at most `WITHIN` seconds for it."""
        try:
            async with asyncio.timeout(WITHIN):
                await write(*args, **kwargs)
        except (StoreError, TimeoutError) as error:
            self._complain(error)
        except Exception:
            log.exception("Writing to the store failed in a way that is not foreseen; please report it")

    async def read(self, read: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Read; None if the store fails."""
        try:
            return await read(*args, **kwargs)
        except StoreError as error:
            self._complain(error)
            return None

    def _complain(self, error: Exception) -> None:
        if isinstance(error, StoreClosed):  # whoever comes late to a closed store has lost nothing
            return
        now = asyncio.get_running_loop().time()
        if now - self._complained >= QUIET:
            self._complained = now
            reason = str(error) or f"It did not answer within {WITHIN:g} s."
            log.warning("Until the store works again, a crash may forget pictures. %s", reason)
