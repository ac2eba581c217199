"""Make what knows what servers taught: it reads examples from the store, and shows models the background."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answering.models import Models
from bot.store import Store
from config.settings import Settings
from inference.knowledge.background_bank import BackgroundBank
from inference.knowledge.client import Knowledge
from inference.knowledge.results import TaughtExample
from inference.results import Classification, ModelInfo, ModelUnavailable


def knowledge_for(settings: Settings, store: Store, models: Models) -> Knowledge:
    """Return it, not started yet: its process starts with the first question. Whoever asks closes it."""
    bank = BackgroundBank(settings.model.cache_dir)

    async def examples(server: int, kind: str) -> Sequence[TaughtExample]:
        rows = await store.teaching.examples(server, kind)
        return [TaughtExample(row.example, row.label, row.fingerprint) for row in rows]

    async def background(kind: str) -> Sequence[bytes]:
        info = next((info for info in models.infos() if info.fingerprints == kind), None)
        if info is None:
            raise ModelUnavailable(f"No model that is loaded gives fingerprints of the kind {kind}.")
        return await bank.fingerprints(info, lambda data: _classified(models, info, data))

    return Knowledge(
        examples=examples,
        background=background,
        limit_bytes=settings.knowledge.memory,
        nice=settings.worker.nice,
    )


async def _classified(models: Models, info: ModelInfo, data: bytes) -> Classification:
    async with models.admit(len(data), model=info.name) as admission:
        return await admission.classify(data, top=1, features="query")
