"""Follow each request from its event to its answer: what each stage took, and what became of each image.

The `Observer` hears of it at once; the log gets one line an image when its request is done.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import discord

from bot.tracing.observer import Observer, Stage, Way

log = logging.getLogger(__name__)

NAMED = "named"
"""The outcome of an image whose names were sent."""
CANCELLED, FAILED, UNSENT = "cancelled", "failed", "unsent"
"""Nobody waits for it any more; something failed unexpectedly; its answer was not sent."""
SENT = "sent"


@dataclass(slots=True)
class ImageTrace:
    """One image: its `outcome`, its stages in seconds, and what else its line in the log shows."""

    id: str = ""
    outcome: str | None = None
    why: str | None = None
    stages: dict[Stage, float] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)
    observer: Observer = field(default_factory=Observer)

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Time a stage, also one that fails."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.took(stage, time.perf_counter() - begun)

    def took(self, stage: Stage, seconds: float) -> None:
        """Note a stage that was timed elsewhere."""
        self.stages[stage] = self.stages.get(stage, 0.0) + seconds
        self.observer.took(stage, seconds)

    def ended(self, outcome: str, *, why: str | None = None) -> None:
        """Note what became of it: `NAMED`, or the code of an error, and `why` in words."""
        self.outcome, self.why = outcome, why


class RequestTrace:
    """One request. Without a `RequestTracing`, nobody hears of it."""

    def __init__(
        self, way: Way = "watched", key: bytes = b"", identity: int = 0, observer: Observer | None = None
    ) -> None:
        self.way = way
        self.fate: str | None = None
        self.images: list[ImageTrace] = []
        self.stages: dict[Stage, float] = {}
        self._key = key
        self._identity = identity
        self._observer = observer or Observer()

    def image(self) -> ImageTrace:
        """Return what follows the next image."""
        name = f"{self._identity} {len(self.images)}".encode()
        digest = hashlib.blake2b(name, key=self._key, digest_size=6).hexdigest()
        trace = ImageTrace(id=digest, observer=self._observer)
        self.images.append(trace)
        return trace

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Time a stage that all images of the request share."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - begun
            self.stages[stage] = self.stages.get(stage, 0.0) + seconds
            self._observer.took(stage, seconds)

    def turned_away(self, outcome: str, images: int) -> None:
        """Note that so many images are not looked at."""
        if images > 0:
            self._observer.ended(self.way, outcome, images)

    def delivered(self, fate: str) -> None:
        """Note what became of the answer: `sent`, or how it got lost."""
        self.fate = fate


class RequestTracing:
    """Makes the traces. The ids in the log come from a key that is made at start and kept nowhere: whoever
    reads the log cannot tell which message an image was in."""

    def __init__(self, observer: Observer | None = None) -> None:
        """`observer`: None is one that does nothing."""
        self._observer = observer or Observer()
        self._key = secrets.token_bytes(16)

    @contextmanager
    def request(self, way: Way, identity: int, asked_at: datetime.datetime) -> Iterator[RequestTrace]:
        """Follow a request until the block ends; an image without an outcome ends with the block.

        `identity` is the id of its message or interaction; `asked_at` is when it was made, by this machine's
        clock.
        """
        trace = RequestTrace(way, self._key, identity, self._observer)
        self._observer.requested(way)
        otherwise = UNSENT
        try:
            yield trace
        except asyncio.CancelledError:
            otherwise = CANCELLED
            raise
        except Exception:
            otherwise = FAILED
            raise
        finally:
            seconds = max(0.0, (discord.utils.utcnow() - asked_at).total_seconds())
            if trace.fate == SENT:
                self._observer.answered(way, seconds)
            for image in trace.images:
                if image.outcome is None or (image.outcome == NAMED and trace.fate != SENT):
                    image.outcome = trace.fate or otherwise
                self._observer.ended(way, image.outcome, 1)
                _log(trace, image, seconds)


def _log(trace: RequestTrace, image: ImageTrace, seconds: float) -> None:
    """Write the one line of an image."""
    stages = {**image.stages, **trace.stages}
    facts: dict[str, object] = {"id": image.id, "way": trace.way, "outcome": image.outcome}
    facts |= {f"{stage}_ms": round(1000 * taken, 1) for stage, taken in stages.items()}
    facts["total_ms"] = round(1000 * seconds, 1)
    facts |= image.facts
    if image.why is not None:
        facts["why"] = image.why
    log.info("image", extra=facts)
