"""Random load, random kills, random cancellations, broken and harmful pictures; then the books must balance.

    python -m tests.soak --minutes 10 --seed 7

Every image that was sent must have come to exactly one end: answered with the right label, refused with a
typed error, or cancelled by us. The exit status is 0 if so, 1 if not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import random
import signal
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field

import psutil

from config import settings
from inference.results import InferenceError, Stats
from inference.serving.client import Classifier
from tests.inference.fakes import Deed, deed, picture

GUILDS = 12
HARMFUL = (Deed.CRASH, Deed.KILL, Deed.BLOAT, Deed.HANG)
PAUSES_A_SECOND = 8
MOST_AT_ONCE = 400
"""More than the queue holds, so that it is full now and then."""


@dataclass
class Soak:
    """One run: who calls the classifier, and what came of it."""

    classifier: Classifier
    dice: random.Random
    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    sent: deque[tuple[bytes, int | None]] = field(default_factory=lambda: deque(maxlen=200))
    kills: int = 0
    at_once: int = 0

    def image(self) -> tuple[bytes, int | None]:
        """A picture and its class; None for one that cannot have any."""
        if self.sent and self.dice.random() < 0.1:
            return self.dice.choice(self.sent)
        self.sent.append(self.new_image())
        return self.sent[-1]

    def new_image(self) -> tuple[bytes, int | None]:
        """One that was hardly ever there before."""
        number = self.dice.randrange(256)
        size = (self.dice.randrange(33, 400), self.dice.randrange(33, 400))
        match self.dice.random():
            case x if x < 0.70:
                return picture(number, self.dice.randrange(256), self.dice.randrange(255), size=size), number
            case x if x < 0.85:
                return deed(Deed.UNSURE, number, size=size), number
            case x if x < 0.90:
                return deed(Deed.SLOW, number, size=size), number
            case x if x < 0.95:
                # Within the pixels: what lacks only the last bytes can still be read.
                return picture(number, size=size)[: self.dice.randrange(60)], None
            case x if x < 0.9995:
                return self.dice.randbytes(self.dice.randrange(1, 100_000)), None
            case _:
                return deed(
                    self.dice.choice([Deed.CRASH, Deed.KILL, Deed.BLOAT, Deed.HANG]), number, size=size
                ), None

    async def one(self, data: bytes, right: int | None) -> None:
        """One image, from sent to its end."""
        self.at_once += 1
        try:
            top = self.dice.randrange(1, 11)
            answer = await self.classifier.classify(data, top=top, group=self.dice.randrange(GUILDS))
            self.ends["answered"] += 1
            if answer.labels[0].index != right or len(answer.labels) != top:
                self.wrong.append(f"class {right} was named {answer.labels[0].index}")
        except InferenceError as error:
            self.ends[error.code] += 1
            if error.code == "harmful_image" and right is not None:
                self.wrong.append(f"an innocent picture was condemned: {error}")
        except asyncio.CancelledError:
            self.ends["cancelled"] += 1
        finally:
            self.at_once -= 1

    async def load(self, until: float) -> None:
        """Bursts and pauses; one image in twenty is cancelled at some moment of its way."""
        async with asyncio.TaskGroup() as tasks:
            while time.monotonic() < until:
                for _ in range(self.dice.choice([1, 1, 1, 4, 10, 64])):
                    if self.at_once < MOST_AT_ONCE:
                        task = tasks.create_task(self.one(*self.image()))
                        if self.dice.random() < 0.05:
                            asyncio.get_running_loop().call_later(self.dice.expovariate(20), task.cancel)
                await asyncio.sleep(self.dice.expovariate(PAUSES_A_SECOND))

    async def kill(self, until: float) -> None:
        """kill -9, from every few moments to twice a minute."""
        while time.monotonic() < until:
            await asyncio.sleep(
                min(self.dice.choice([5, 30, 60]) * self.dice.random(), until - time.monotonic())
            )
            if pid := self.classifier.worker_pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.kills += 1

    def say(self, stats: Stats) -> None:
        """One line on how it goes."""
        rss = psutil.Process().memory_info().rss >> 20
        print(
            f"{stats.accepted} accepted, {stats.answered} answered ({stats.known} known), "
            f"{sum(stats.refused.values())} refused, {stats.cancelled} cancelled, "
            f"{sum(stats.turned_away.values())} turned away, {stats.batches} batches, {self.kills} kills, "
            f"{stats.restarts} restarts, {rss} MiB",
            flush=True,
        )

    async def report(self, until: float) -> None:
        """A line every ten seconds."""
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(10, left))
            self.say(self.classifier.stats)


async def soak(minutes: float, seed: int) -> int:
    """Run it. The exit status."""
    wanted = settings.Settings(
        worker=settings.Worker(deadline=3, memory=400 << 20), queue=settings.Queue(images_per_guild=48)
    )
    run = Soak(Classifier(wanted, load="tests.inference.fakes:load"), random.Random(seed))  # noqa: S311 - no secret
    try:
        await run.classifier.start()
        until = time.monotonic() + 60 * minutes
        async with asyncio.TaskGroup() as tasks:
            for part in (run.load, run.kill, run.report):
                tasks.create_task(part(until))
        stats = run.classifier.stats
    finally:
        await run.classifier.close()
    return verdict(run, stats)


def verdict(run: Soak, stats: Stats) -> int:
    """Do the classifier's books balance, with each other and with what its callers saw?"""
    refused = sum(stats.refused.values())
    seen = Counter({"answered": stats.answered, "cancelled": stats.cancelled})
    seen += Counter(stats.refused) + Counter(stats.turned_away)
    cancelled_early = run.ends["cancelled"] - stats.cancelled  # while they waited to be accepted
    faults = list(run.wrong)
    if stats.accepted != stats.answered + refused + stats.cancelled:
        faults.append("accepted is not answered + refused + cancelled")
    if seen + Counter({"cancelled": cancelled_early}) != run.ends or cancelled_early < 0:
        faults.append(f"counted {dict(seen)}, but the callers saw {dict(run.ends)}")
    if run.at_once:
        faults.append(f"{run.at_once} images never came to an end")
    print(f"ends: {dict(run.ends)}")
    print(f"refused: {dict(stats.refused)}; turned away: {dict(stats.turned_away)}")
    for fault in faults[:20]:
        print("WRONG:", fault)
    books = f"answered {stats.answered} + refused {refused} + cancelled {stats.cancelled}"
    print(f"accepted {stats.accepted} = {books}: {'no, or not rightly' if faults else 'yes'}")
    return 1 if faults else 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311 - no secret
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(message)s")
    print(f"{arguments.minutes:g} minutes, seed {arguments.seed}", flush=True)
    return asyncio.run(soak(arguments.minutes, arguments.seed))


if __name__ == "__main__":
    sys.exit(main())
