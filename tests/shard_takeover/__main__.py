"""Measure how long a shard is silent when its process is killed under load.

    tests/postgres.sh python -m tests.shard_takeover --runs 5

Each run starts two shards and a spare, kills the process of one while people post, and prints how long
nothing was answered there, how long the longest wait was, and what was lost or answered twice.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.postgresql import empty_database
from tests.wire.sharded import People, Processes
from tests.wire.wire import Wire

ALLOWED = 2.0
"""Seconds of silence that the bot may take."""


async def takeover(folder: Path, every: float, servers: int) -> tuple[float, bool]:
    """Do one run; return the shard's silence in seconds, and whether nothing else went wrong."""
    async with Wire() as wire, empty_database() as url, Processes.running(wire, url, folder) as bot:
        limit = wire.gateway.limit
        wire.gateway.shards, limit.enforced, limit.max_concurrency = 2, True, 2
        for _ in range(servers):
            wire.world.add_guild((1, 2))
        people = People(wire, {number: await wire.join((number, 2)) for number in range(2)}, every)
        for _ in range(3):
            await bot.start()
        await bot.until_held(2)
        await asyncio.sleep(limit.seconds)
        with people.watching():
            with people.posting():
                await asyncio.sleep(2)
                killed, at = bot.holder(1), time.monotonic()
                killed.kill()
                await asyncio.sleep(4)
            await people.until_answered()
        times, owed = people.times(), people.owed()
        lost, twice = len(owed.keys() - times.keys()), sum(count > 1 for count in times.values())
        silence = people.silence(1, at)
        print(
            f"silence {silence:.2f} s, longest wait {max(people.waits(1)):.2f} s; of {len(owed)} pictures "
            f"{lost} lost, {twice} answered twice; {limit.breaches} identify breaches, "
            f"{wire.gateway.doubles} shards in two processes",
            flush=True,
        )
        return silence, not (lost or twice or limit.breaches or wire.gateway.doubles)


async def main(runs: int, every: float, servers: int) -> int:
    """Do all runs; return 0 if each was silent for `ALLOWED` seconds at most, and nothing else was wrong."""
    results = []
    for _ in range(runs):
        with TemporaryDirectory(prefix="whatsit-takeover-") as folder:
            results.append(await takeover(Path(folder), every, servers))
    longest = max(silence for silence, _ in results)
    print(f"{runs} runs: the longest silence was {longest:.2f} s; {ALLOWED:g} s are allowed.")
    return 0 if longest <= ALLOWED and all(is_sound for _, is_sound in results) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the silence of a shard whose process is killed.")
    parser.add_argument("--runs", type=int, default=5, help="how often (default: 5)")
    parser.add_argument("--every", type=float, default=0.3, help="seconds between two pictures of a shard")
    parser.add_argument("--servers", type=int, default=0, help="further servers of the shard (default: 0)")
    arguments = parser.parse_args()
    sys.exit(asyncio.run(main(arguments.runs, arguments.every, arguments.servers)))
