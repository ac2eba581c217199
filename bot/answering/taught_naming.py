"""Name pictures by what their server taught, beside the model's own names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.answering.models import Models
from bot.presentation.answer import Outcome
from bot.presentation.taught_name import TaughtName
from bot.store import StoreError
from bot.store.teaching import Teaching
from inference.knowledge.client import Knowledge
from inference.knowledge.results import KnowledgeFailed
from inference.results import Classification

log = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that an answer waits for taught names. It has to where what was taught is being fitted."""


class TaughtNaming:
    """Asks what a server taught. Whatever fails costs a line in the log and the taught name, no answer."""

    def __init__(self, teaching: Teaching, knowledge: Knowledge, models: Models) -> None:
        self._teaching = teaching
        self._knowledge = knowledge
        self._models = models

    async def has_labels(self, guild_id: int | None) -> bool:
        """Return whether a server taught anything; only then are fingerprints needed. No server: False."""
        if guild_id is None:
            return False
        try:
            return bool(await self._teaching.names(guild_id))
        except StoreError as error:
            log.warning("What the server %d taught could not be read. %s", guild_id, error)
            return False

    async def named(self, guild_id: int, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Return the outcomes, each with the taught name that fits it, where one does."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.gather(*(self._named(guild_id, outcome) for outcome in outcomes))
        except TimeoutError:
            log.warning("What the server %d taught is not fitted yet; answered without it.", guild_id)
        except (KnowledgeFailed, StoreError) as error:
            log.warning("What the server %d taught could not be asked. %s", guild_id, error)
        return list(outcomes)

    async def _named(self, guild_id: int, outcome: Outcome) -> Outcome:
        result = outcome.result
        if not isinstance(result, Classification) or result.fingerprint is None:
            return outcome
        kind = self._models.info_of(result.model).fingerprints
        answer = await self._knowledge.name(guild_id, kind, result.fingerprint) if kind else None
        if answer is None or not answer.accepted:
            return outcome
        name = (await self._teaching.names(guild_id)).get(answer.label)
        if name is None:  # it was taken away a moment ago
            return outcome
        return replace(outcome, taught=TaughtName(answer.label, name, answer.few))
