"""Costly pictures from three accounts, within their quotas, while honest ones arrive elsewhere.

    python -m tests.siege --minutes 5 --seed 7

The real bot with its real model and worker is on the stub of Discord. A quiet time comes first: what honest
pictures wait then is the measure of what they may wait in the siege. The exit status is 0 if the goals are
reached, 1 if not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import math
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import psutil

from config.settings import Model, Settings, Worker
from inference.results import HarmfulImage, ModelUnavailable
from inference.serving.client import Classifier
from inference.serving.image_job import ImageJob
from inference.serving.supervisor import WorkerDied
from inference.serving.suspect_trials import SuspectTrials
from tests.siege.costly_files import CostlyFile, costly_files, measured
from tests.siege.genes import Genes
from tests.siege.honest_pictures import honest_pictures
from tests.siege.measured_decoder import DecodeCost
from tests.wire.bots import online
from tests.wire.wire import Wire
from tests.wire.world import Payload, new_user

ANSWERED = 0.99
"""The share of honest pictures that must be answered."""
SLOWER = 3.0
"""How many times longer an honest picture may take in the siege than before it, at the 95th percentile."""
UNNOTICED = 0.5
"""Seconds of waiting that are no fault, however short the quiet ones were."""
ATTACKERS = 3
HONEST_SECONDS = 1.5
"""Between two honest pictures, on average."""
ENDURANCE = 60.0
"""Seconds that the last honest pictures get before they count as unanswered."""
POOL = 24
"""Costly files that the attackers have, of which they post variants."""
CONDEMNED, VARIANTS = 5, 100
"""Of so many condemned pictures so many variants are posted in the end."""
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
    peak: int = 0
    """The most memory that one of the bot's children held, in bytes."""

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

    async def watch_memory(self) -> None:
        """Measure the bot's children ten times a second, without end."""
        me = psutil.Process()
        while True:
            for child in me.children(recursive=True):
                with contextlib.suppress(psutil.Error):  # it may have ended meanwhile
                    self.peak = max(self.peak, child.memory_info().rss)
            await asyncio.sleep(0.1)

    def waits(self, channel: str, ids: Sequence[str]) -> list[float]:
        """Return how many seconds each of these messages that is answered by now has waited."""
        answered: dict[str, float] = {}
        for request in self.wire.world.sent("POST", rf"/channels/{channel}/messages"):
            for id_ in self.wire.world.sources(request.body):
                answered.setdefault(id_, request.at)
        return [answered[id_] - self.posted[id_] for id_ in ids if id_ in answered]


@asynccontextmanager
async def beside(*coroutines: asyncio.Task[None]) -> AsyncIterator[None]:
    """Let tasks run as long as the block does."""
    try:
        yield
    finally:
        for task in coroutines:
            task.cancel()
        await asyncio.wait(coroutines)


async def siege(asked: argparse.Namespace) -> int:
    """Run it, and return the exit status. `asked` are the options of the command line."""
    dice = random.Random(asked.seed)  # noqa: S311 - no secret
    found = measured(asked.files) if asked.files else costly_files(asked.seed, asked.hunt)
    pool = sorted(found, key=lambda file: -file.cost.core_ms)[:POOL]
    for file in pool:
        print(f"{file.name}: {len(file.data)} bytes, {file.cost.core_ms:.0f} core-ms", flush=True)
    worker = Worker(image_seconds=asked.image_seconds)
    settings = Settings(model=Model(name="efficientnet_lite0"), worker=worker)
    classifier = Classifier(settings)
    try:
        await classifier.start()
        async with Wire() as wire, online(wire, classifier, settings=settings):
            run = Siege(wire, classifier, settings, dice)
            return await _run(run, pool, 60 * asked.minutes, asked.quiet, asked.slower)
    finally:
        await classifier.close()


async def _run(run: Siege, pool: Sequence[CostlyFile], seconds: float, quiet: float, slower_by: float) -> int:
    honest_channel, pictures = await run.wire.join(), honest_pictures(run.dice)
    before = await run.honest(honest_channel, pictures, quiet)
    channels = [await run.wire.join() for _ in range(ATTACKERS)]
    attacks = [
        asyncio.create_task(run.attack(channel, new_user("Mallory"), pool, seconds)) for channel in channels
    ]
    with run.note_condemned():
        async with beside(asyncio.create_task(run.watch_memory()), *attacks):
            during = await run.honest(honest_channel, pictures, seconds)
        again = run.condemned[:CONDEMNED]
        attacks = [asyncio.create_task(run.post_variants(await run.wire.join(), data)) for data in again]
        async with beside(asyncio.create_task(run.watch_memory()), *attacks):
            while not all(attack.done() for attack in attacks):
                during += await run.honest(honest_channel, pictures, 5)
    print(f"{VARIANTS} variants of each of {len(again)} condemned pictures")
    return verdict(
        run, run.waits(honest_channel, before), run.waits(honest_channel, during), len(during), slower_by
    )


def verdict(
    run: Siege, quiet: Sequence[float], besieged: Sequence[float], posted: int, slower_by: float
) -> int:
    """Print what was seen, and return 0 if every goal is reached, 1 if not.

    `slower_by` is how many times the quiet p95 honest pictures may wait.
    """
    stats = run.classifier.stats
    share, slower = len(besieged) / posted, _p95(besieged) / _p95(quiet)
    opened = stats.turned_away.get(ModelUnavailable.code, 0)
    goals = {
        f"honest pictures answered: {share:.1%} of {posted}, at least {ANSWERED:.0%}": share >= ANSWERED,
        f"p95 of their waits: {_p95(besieged):.2f} s, {slower:.1f} times the quiet {_p95(quiet):.2f} s, "
        f"at most {slower_by:g}, or {UNNOTICED:g} s": slower <= slower_by or _p95(besieged) <= UNNOTICED,
        f"pictures met by an open breaker: {opened}, at most 0": not opened,
        f"most memory of a child: {run.peak >> 20} MiB, at most {run.settings.worker.memory >> 20}": (
            run.peak <= run.settings.worker.memory
        ),
    }
    print(f"{run.sent} costly pictures; refused: {dict(Counter(stats.refused))}; {stats.restarts} restarts")
    for goal, reached in goals.items():
        print(f"{'reached' if reached else 'MISSED'}: {goal}")
    return 0 if all(goals.values()) else 1


def _p95(waits: Sequence[float]) -> float:
    """Return the 95th percentile, infinity where next to nothing was answered."""
    return statistics.quantiles(waits, n=20)[-1] if len(waits) > 1 else math.inf


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.siege", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=5, help="of siege (5)")
    parser.add_argument(
        "--quiet", type=float, default=60, help="seconds of honest pictures alone before it (60)"
    )
    parser.add_argument("--hunt", type=float, default=60, help="seconds of looking for what costs most (60)")
    parser.add_argument(
        "--slower",
        type=float,
        default=SLOWER,
        help="times the quiet p95 that honest pictures may wait; inf asks nothing of the waits (3)",
    )
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311 - no secret
    parser.add_argument("--files", type=Path, nargs="+", default=(), help="costly files of your own to use")
    parser.add_argument(
        "--image-seconds",
        type=float,
        default=Worker().image_seconds,
        help="worker.image_seconds: with less than the costly files take, they are condemned (4)",
    )
    asked = parser.parse_args()
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(message)s")
    print(f"{asked.minutes:g} minutes, seed {asked.seed}", flush=True)
    return asyncio.run(siege(asked))


if __name__ == "__main__":
    sys.exit(main())
