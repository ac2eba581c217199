"""Pictures that keep coming, as from a busy bot, and the book of what became of each."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

from config.settings import ClusterSettings, InferenceSettings, Model, Queue, Settings
from inference.results import InferenceError
from inference.serving.client import Classifier
from tests.cluster.engines import SPYING
from tests.inference.fakes import picture

AT_ONCE = 8


class Traffic:
    """Has `at_once` pictures looked at, always others, and each answer compared with what is in it."""

    def __init__(self, classifier: Classifier, at_once: int = AT_ONCE) -> None:
        self._classifier = classifier
        self._at_once = at_once
        self._dice = random.Random(13)  # noqa: S311 - no secret
        self.sent = 0
        self.ends: Counter[str] = Counter()
        self.models: Counter[str] = Counter()
        self.times: list[float] = []
        """When each answer came."""

    @property
    def lost(self) -> int:
        """How many were not answered, or not rightly. While some are under way they count too."""
        return self.sent - self.ends["right"]

    def silence(self, since: float) -> float:
        """Return the longest time, in seconds, without an answer from `since` on."""
        times = [since, *(each for each in self.times if each > since), time.monotonic()]
        return max(later - earlier for earlier, later in pairwise(times))

    def ease(self, at_once: int) -> None:
        """Send fewer at once from now on."""
        self._at_once = at_once

    def stop(self) -> None:
        """Send no more."""
        self._at_once = 0

    async def run(self) -> None:
        """Send until told to stop, and wait for what is under way."""
        await asyncio.gather(*(self._one_after_another(place) for place in range(self._at_once)))

    async def _one_after_another(self, place: int) -> None:
        while place < self._at_once:
            number, green, blue = (
                self._dice.randrange(256),
                self._dice.randrange(256),
                self._dice.randrange(SPYING),
            )
            data = picture(number, green, blue, size=(self._dice.randrange(33, 90), 40))
            self.sent += 1
            try:
                answer = await self._classifier.classify(data)
            except InferenceError as error:
                self.ends[f"{error.code}: {error}"] += 1
                continue
            self.times.append(time.monotonic())
            self.models[answer.model] += 1
            self.ends["right" if answer.labels[0].name == f"shade {number}" else "wrong"] += 1


@asynccontextmanager
async def asking(urls: list[str], secret_file: Path) -> AsyncIterator[Classifier]:
    """Give a classifier as the bot has it, which asks the cluster behind `urls`."""
    wanted = Settings(
        model=Model(name="auto"),
        queue=Queue(timeout=60),
        inference=InferenceSettings(backend="cluster"),
        cluster=ClusterSettings(urls=tuple(urls), secret_file=secret_file),
    )
    classifier = Classifier(wanted)
    try:
        await classifier.start()
        yield classifier
    finally:
        await classifier.close()


@asynccontextmanager
async def traffic(classifier: Classifier, at_once: int = AT_ONCE) -> AsyncIterator[Traffic]:
    """Have pictures come while the block runs; leaving it waits until each is answered."""
    coming = Traffic(classifier, at_once)
    task = asyncio.create_task(coming.run())
    try:
        yield coming
    finally:
        coming.stop()
        await task
