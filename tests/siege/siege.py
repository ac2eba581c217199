"""One siege: what is posted, when, and what it does to the bot's processes."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from unittest.mock import patch

import psutil

from config.settings import Settings
from inference.results import HarmfulImage
from inference.serving.client import Classifier
from inference.serving.first_worker import FirstWorker
from inference.serving.image_job import ImageJob
from inference.serving.suspect_trials import SuspectTrials
from inference.serving.worker_death import WorkerDied
from tests.siege.costly_files import CostlyFile
from tests.siege.genes import Genes
from tests.siege.measured_decoder import DecodeCost
from tests.wire.wire import Wire
from tests.wire.world import Payload, new_user

__all__ = ["VARIANTS", "Siege"]

HONEST_SECONDS = 1.5
"""Between two honest pictures, on average."""
ENDURANCE = 60.0
"""Seconds that the last honest pictures get before they count as unanswered."""
VARIANTS = 100
"""Of a condemned picture, that are posted."""
Picture = tuple[str, bytes]


@dataclass
class Siege:
    """One run: what was posted, when, and what it did to the bot's processes."""

    wire: Wire
    classifier: Classifier
    settings: Settings
    dice: random.Random
    posted: dict[str, float] = field(default_factory=dict)
    """When each honest message was posted, by its id."""
    sent: int = 0
    """Costly pictures."""
    condemned: list[bytes] = field(default_factory=list)
    """Those that the bot has condemned."""
    replaced: list[tuple[float, float]] = field(default_factory=list)
    """From when to when nobody could be answered, because the first worker was being replaced."""
    peak: int = 0
    """The most memory that one of the bot's children held, in bytes."""
    peak_in_all: int = 0
    """The most memory that they held together, what they share counted once each."""

    async def honest(self, channel: str, pictures: Iterator[Picture], seconds: float) -> list[str]:
        """Post honest pictures for that long, each by another member; return the messages' ids."""
        until, ids = time.monotonic() + seconds, []
        while time.monotonic() < until:
            author = new_user("Honest")
            message = await self.wire.post(next(pictures), channel=channel, author=author)
            self.posted[message["id"]] = time.monotonic()
            ids.append(message["id"])
            await asyncio.sleep(self.dice.expovariate(1 / HONEST_SECONDS))
        with contextlib.suppress(AssertionError):  # what is not answered by then is counted
            await self.wire.world.until(
                lambda: self.wire.world.answered(channel).keys() >= set(ids), patience=ENDURANCE
            )
        return ids

    async def attack(
        self, channel: str, account: Payload, pool: Sequence[CostlyFile], seconds: float
    ) -> None:
        """Post costly pictures as fast as the quota of an account allows it."""
        limits = self.settings.limits
        until = time.monotonic() + seconds
        burst = limits.user_burst
        while time.monotonic() < until:
            count = max(1, min(burst, limits.images_per_answer))
            chosen = [self.dice.choice(pool) for _ in range(count)]
            files = [(f"{file.name}.{file.form}", self.variant(file)) for file in chosen]
            await self.wire.post(*files, channel=channel, author=account)
            self.sent += count
            burst -= count
            if burst <= 0:
                await asyncio.sleep(60 / limits.user_images_per_minute)

    def variant(self, file: CostlyFile) -> bytes:
        """Return the file with one byte changed, or some more at its end: its hash is another one."""
        data = bytearray(file.data)
        if self.dice.random() < 0.5:
            data[self.dice.randrange(len(data) // 2, len(data))] ^= 1 << self.dice.randrange(8)
        return bytes(data) + self.dice.randbytes(8)

    async def post_variants(self, channel: str, data: bytes) -> None:
        """Post `VARIANTS` of a condemned picture, from as many accounts as the quotas ask for."""
        file = CostlyFile("again", "bin", data, DecodeCost(0, None, None), Genes(""))
        burst, message = self.settings.limits.user_burst, self.settings.limits.images_per_answer
        for first in range(0, VARIANTS, burst):
            account = new_user("Mallory")
            for begin in range(first, min(first + burst, VARIANTS), message):
                count = min(message, first + burst - begin, VARIANTS - begin)
                files = [(f"again-{begin + number}.bin", self.variant(file)) for number in range(count)]
                await self.wire.post(*files, channel=channel, author=account)
                self.sent += count
                await asyncio.sleep(self.dice.expovariate(1))

    def note_condemned(self) -> AbstractContextManager[object]:
        """Have all that is condemned within noted."""
        condemn = SuspectTrials.condemn

        def noting(trials: SuspectTrials, job: ImageJob, death: WorkerDied) -> HarmfulImage:
            self.condemned.append(job.data)
            return condemn(trials, job, death)

        return patch.object(SuspectTrials, "condemn", noting)

    def note_replaced(self) -> AbstractContextManager[object]:
        """Have every replacement of the first worker noted within."""
        replace = FirstWorker.replace

        async def noting(first: FirstWorker) -> bool:
            begun = time.monotonic()
            try:
                return await replace(first)
            finally:
                self.replaced.append((begun, time.monotonic()))

        return patch.object(FirstWorker, "replace", noting)

    async def watch_memory(self) -> None:
        """Measure the bot's children ten times a second, without end."""
        me = psutil.Process()
        while True:
            sizes = []
            for child in me.children(recursive=True):
                with contextlib.suppress(psutil.Error):  # it may have ended meanwhile
                    sizes.append(child.memory_info().rss)
            self.peak = max(self.peak, *sizes, 0)
            self.peak_in_all = max(self.peak_in_all, sum(sizes))
            await asyncio.sleep(0.1)

    def waits(self, channel: str, ids: Sequence[str]) -> list[float]:
        """Return how many seconds each of these messages that is answered by now has waited."""
        return [until - since for since, until in self._spans(channel, ids)]

    def met_a_replacement(self, channel: str, ids: Sequence[str]) -> int:
        """Return how many of these messages waited while the first worker was being replaced."""
        return sum(
            any(since < end and begun < until for begun, end in self.replaced)
            for since, until in self._spans(channel, ids)
        )

    def _spans(self, channel: str, ids: Sequence[str]) -> list[tuple[float, float]]:
        answered: dict[str, float] = {}
        for request in self.wire.world.sent("POST", rf"/channels/{channel}/messages"):
            for id_ in self.wire.world.sources(request.body):
                answered.setdefault(id_, request.at)
        return [(self.posted[id_], answered[id_]) for id_ in ids if id_ in answered]
