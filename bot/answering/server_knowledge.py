"""What servers taught, and their pictures: connect the process that knows them with the store and models."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bot.answering.models import Models
from bot.store import Store
from config.settings import Settings
from inference.knowledge.background_bank import BackgroundBank
from inference.knowledge.client import Knowledge
from inference.knowledge.results import KnowledgeFailed, TaughtExample
from inference.results import InferenceError


def knowledge_of(settings: Settings, store: Store, models: Models) -> Knowledge:
    """Return what names pictures by what servers taught; whoever makes it closes it."""
    bank = BackgroundBank(settings.model.cache_dir)

    async def examples(server: int, kind: str) -> Sequence[TaughtExample]:
        rows = await store.teaching.examples(server, kind)
        return [TaughtExample(row.example, row.label, row.fingerprint) for row in rows]

    async def background(kind: str) -> Sequence[bytes]:
        classifier = next((each for each in models.running() if each.info.fingerprints == kind), None)
        if classifier is None:
            raise KnowledgeFailed(f"No model is running whose fingerprints are of the kind {kind}.")
        try:
            return await bank.fingerprints(classifier.info, partial(classifier.classify, features="query"))
        except InferenceError as error:
            raise KnowledgeFailed(f"The background could not be computed: {error}") from error

    return Knowledge(
        examples=examples,
        background=background,
        limit_bytes=settings.knowledge.memory,
        nice=settings.worker.nice,
    )
