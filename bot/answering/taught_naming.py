"""Name pictures by what their server taught, beside the model's own names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from cachetools import LRUCache

from bot.answering.models import Models
from bot.i18n import Language
from bot.presentation.answer import Outcome
from bot.presentation.taught_name import TaughtName
from bot.store import Store, StoreError
from inference.knowledge.client import Knowledge
from inference.knowledge.results import KnowledgeFailed
from inference.results import Classification

log = logging.getLogger(__name__)

NOTICED = 10_000
"""Servers of which it is remembered that they need no notice, or had it."""
PATIENCE = 3.0
"""Seconds that an answer waits for taught names. It has to where what was taught is being fitted."""


class TaughtNaming:
    """Asks what a server taught. Whatever fails costs a line in the log and the taught name, no answer."""

    def __init__(self, store: Store, knowledge: Knowledge, models: Models) -> None:
        self._notes = store.notes
        self._teaching = store.teaching
        self._noticed: LRUCache[int, str] = LRUCache(NOTICED)
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

    async def notice(self, guild_id: int, outcomes: Sequence[Outcome], language: Language) -> str:
        """Return a line that words must be taught again for the model in use; empty if there is no need.

        A server is told so once for each model. Fingerprints of two models cannot be compared, so
        labels of another one are never said.
        """
        models = [outcome.result.model for outcome in outcomes if isinstance(outcome.result, Classification)]
        kind = self._models.info_of(models[0]).fingerprints if models else None
        if kind is None or self._noticed.get(guild_id) == kind:
            return ""
        try:
            counts = await self._teaching.counts(guild_id)
            stale = [
                each for each in counts if each.label is not None and each.kinds and kind not in each.kinds
            ]
            is_new = bool(stale) and await self._notes.take_model_notice(guild_id, kind)
        except StoreError as error:
            log.warning("What the server %d taught could not be read. %s", guild_id, error)
            return ""
        self._noticed[guild_id] = kind
        if not is_new:
            return ""
        return language.ngettext(
            "I use another model now than when I was taught here, so {count} word must be taught again. "
            "Moderators see which with `/labels show`.",
            "I use another model now than when I was taught here, so {count} words must be taught again. "
            "Moderators see which with `/labels show`.",
            len(stale),
        ).format(count=language.number(len(stale)))

    async def _named(self, guild_id: int, outcome: Outcome) -> Outcome:
        result = outcome.result
        if not isinstance(result, Classification) or result.fingerprint is None:
            return outcome
        kind = result.fingerprint_kind
        answer = await self._knowledge.name(guild_id, kind, result.fingerprint) if kind else None
        if answer is None or not answer.accepted:
            return outcome
        name = (await self._teaching.names(guild_id)).get(answer.label)
        if name is None:  # it was taken away a moment ago
            return outcome
        return replace(outcome, taught=TaughtName(answer.label, name, answer.few))
