"""Find out whether the bot can answer pictures now, and what keeps it from it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping

from bot.client import Whatsit
from bot.store import Store, StoreError
from inference.results import ModelUnavailable
from inference.serving.client import Classifier

CHECKS = ("connected", "model", "store", "breaker")
FRESH = 5.0
"""Seconds for which it is believed that the store can be written: nobody is to make it write all the time."""
WITHIN = 2.0
"""Seconds that the store may take for a write."""
PATIENCE = 0.5
"""Seconds that a question waits for that write; after it, what was found last is the answer."""


class Readiness:
    """Asks the parts of a running bot."""

    def __init__(self, bot: Whatsit, classifier: Classifier, store: Store) -> None:
        self._bot = bot
        self._classifier = classifier
        self._store = store
        self._store_fault: str | None = None
        self._store_asked = -math.inf
        self._asking: asyncio.Task[None] | None = None

    async def faults(self) -> Mapping[str, str]:
        """Return a sentence for each of `CHECKS` that fails; empty when the bot is ready."""
        faults = {
            "connected": self._connection_fault(),
            "model": self._model_fault(),
            "store": await self._fault_of_store(),
            "breaker": self._breaker_fault(),
        }
        return {check: fault for check, fault in faults.items() if fault is not None}

    async def close(self) -> None:
        """Stop asking."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    def _connection_fault(self) -> str | None:
        if self._bot.work_in_hand.stopping:
            return "Whatsit is stopping."
        if self._bot.is_spare:  # which is all that it has to be
            return None
        return None if self._bot.is_connected else "There is no connection to Discord's gateway."

    def _model_fault(self) -> str | None:
        try:
            _ = self._classifier.info
        except ModelUnavailable:
            return "The model is not loaded yet."
        return None

    def _breaker_fault(self) -> str | None:
        if not self._classifier.load.breaker_open:
            return None
        return "The worker keeps dying, or no node of the cluster can be asked; the log says why."

    async def _fault_of_store(self) -> str | None:
        if self._asking is None and asyncio.get_running_loop().time() - self._store_asked >= FRESH:
            self._asking = asyncio.create_task(self._ask_store(), name="readiness: store")
        if self._asking is not None:
            await asyncio.wait([self._asking], timeout=PATIENCE)
        return self._store_fault

    async def _ask_store(self) -> None:
        self._store_fault = await self._write()
        self._store_asked = asyncio.get_running_loop().time()
        self._asking = None

    async def _write(self) -> str | None:
        try:
            async with asyncio.timeout(WITHIN):
                await self._store.notes.prove_writable()
        except StoreError as error:
            return str(error)
        except TimeoutError:
            return f"The store did not write within {WITHIN:g} s."
        return None
