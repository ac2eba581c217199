"""Costly pictures from three accounts, within their quotas, while honest ones arrive elsewhere.

    python -m tests.siege --minutes 5 --seed 7

The real bot with its real model and worker is on the stub of Discord. A quiet time comes first: what honest
pictures wait then is the measure of what they may wait in the siege. The exit status is 0 if the goals are
reached, 1 if not.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from config.settings import Model, Settings, Worker
from inference.serving.client import Classifier
from tests.siege.costly_files import CostlyFile, costly_files, measured
from tests.siege.honest_pictures import honest_pictures
from tests.siege.siege import VARIANTS, Siege
from tests.siege.unforeseen_files import LOAD, unforeseen_files
from tests.siege.verdict import SLOWER, verdict
from tests.wire.bots import online
from tests.wire.wire import Wire
from tests.wire.world import new_user

ATTACKERS = 3
POOL = 24
"""Costly files that the attackers have, of which they post variants."""
CONDEMNED = 5
"""Of so many condemned pictures variants are posted in the end."""


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
    load = "inference.models.loading:load"
    if asked.unforeseen:
        found, load = unforeseen_files(asked.seed, POOL), LOAD
    elif asked.files:
        found = measured(asked.files)
    else:
        found = costly_files(asked.seed, asked.hunt)
    pool = sorted(found, key=lambda file: -file.cost.core_ms)[:POOL]
    for file in pool:
        print(f"{file.name}: {len(file.data)} bytes, {file.cost.core_ms:.0f} core-ms", flush=True)
    worker = Worker(image_seconds=asked.image_seconds)
    settings = Settings(model=Model(name="efficientnet_lite0"), worker=worker)
    classifier = Classifier(settings, load=load)
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
    with run.note_condemned(), run.note_replaced():
        async with beside(asyncio.create_task(run.watch_memory()), *attacks):
            during = await run.honest(honest_channel, pictures, seconds)
        again = run.condemned[:CONDEMNED]
        attacks = [asyncio.create_task(run.post_variants(await run.wire.join(), data)) for data in again]
        async with beside(asyncio.create_task(run.watch_memory()), *attacks):
            while not all(attack.done() for attack in attacks):
                during += await run.honest(honest_channel, pictures, 5)
    print(f"{VARIANTS} variants of each of {len(again)} condemned pictures")
    return verdict(run, honest_channel, before, during, slower_by)


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
        "--unforeseen", action="store_true", help="files whose cost no header tells, in place of found ones"
    )
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
