"""What a message costs the bot's own process: processor time, REST calls, transactions of PostgreSQL.

    tests/postgres.sh python -m tests.bot_cost --messages 400

The real bot is on a stub of Discord, and a model that takes no time says what is in every picture, so that
all is measured but the looking. Messages with a picture come at a steady rate in many channels, and then ten
times as many without. Without a PostgreSQL the transactions are left out. These are figures of
`config/capacity.toml`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.wire.bots import process
from tests.wire.wire import Wire
from tests.wire.world import new_user

CHANNELS = 50
A_SECOND = 20.0
"""Messages with a picture; so few that the bot keeps up, and channels' own limits hold nothing back."""
TEXTS = 10
"""Messages without a picture for each one with."""
BYTES = 73_000
"""Of a picture, as a JPEG of 0.3 megapixels has."""
WARM_UP = 40
"""Messages before anything is measured."""


class MeasuredBot:
    """A bot on a stub, and what it has used so far."""

    def __init__(self, wire: Wire, pid: int, database: AsyncEngine | None) -> None:
        self._wire = wire
        self._process = psutil.Process(pid)
        self._database = database
        self._channels = [wire.world.add_channel(f"c{number}") for number in range(CHANNELS)]
        self._chance = random.Random(1)  # noqa: S311 - no secret

    async def pictures(self, count: int) -> None:
        """Post messages with a picture each, and wait until all are answered."""
        before = self._answers()
        for number in range(count):
            picture = b"\x89PNG" + self._chance.randbytes(BYTES)
            channel = self._channels[number % CHANNELS]
            await self._wire.post(("a.png", picture), channel=channel, author=new_user(f"Somebody {number}"))
            await asyncio.sleep(1 / A_SECOND)
        await self._wire.world.until(lambda: self._answers() >= before + count, patience=60)
        await asyncio.sleep(1)  # what is written down afterwards

    async def texts(self, count: int) -> None:
        """Post messages without a picture."""
        for number in range(count):
            channel = self._channels[number % CHANNELS]
            await self._wire.post(channel=channel, content="hello " * 10, author=new_user("Somebody"))
            if not number % 50:
                await asyncio.sleep(0.1)
        await asyncio.sleep(1)

    def cpu_seconds(self) -> float:
        """What the bot's process has taken of the processor."""
        times = self._process.cpu_times()
        return times.user + times.system

    def calls(self) -> Counter[str]:
        """The calls of Discord's REST so far, by method and last part of the path."""
        return Counter(
            f"{each.method} {each.path.rstrip('/').rpartition('/')[2]}" for each in self._wire.world.requests
        )

    async def transactions(self) -> int:
        """What the database has committed so far; 0 where it is not asked."""
        if self._database is None:
            return 0
        async with self._database.connect() as connection:
            found = await connection.scalar(
                text("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
            )
        return int(found)

    def _answers(self) -> int:
        return sum(self._wire.world.answered(channel).total() for channel in self._channels)


async def measure(messages: int) -> None:
    """Measure, and print what a message costs."""
    url = os.environ.get("TEST_POSTGRES_URL")
    env = {"WHATSIT_LIMITS__GUILD_CORE_SECONDS_PER_MINUTE": "1000000"}
    if url:
        env["WHATSIT_STORE__URL"] = url
    database = create_async_engine(url.replace("://", "+asyncpg://", 1)) if url else None
    with tempfile.TemporaryDirectory() as folder:
        async with Wire() as wire, process(wire, Path(folder), env, ready=0.1) as running:
            reader = asyncio.create_task(running.read_log())
            await wire.world.until(lambda: wire.gateway.ready, patience=120)
            bot = MeasuredBot(wire, running.pid, database)
            await bot.pictures(WARM_UP)
            cpu, calls, commits, began = bot.cpu_seconds(), bot.calls(), await bot.transactions(), time.time()
            await bot.pictures(messages)
            spent = bot.cpu_seconds() - cpu
            made = bot.calls() - calls
            print(f"a message with a picture: {1000 * spent / messages:.2f} ms of the bot's process,")
            print(f"  {made.total() / messages:.2f} calls of Discord's REST: {dict(made.most_common(6))},")
            if database is not None:
                committed = await bot.transactions() - commits
                print(f"  {committed / messages:.2f} transactions, in {time.time() - began:.0f} s")
            cpu = bot.cpu_seconds()
            await bot.texts(TEXTS * messages)
            spent = bot.cpu_seconds() - cpu
            print(f"a message without: {1000 * spent / (TEXTS * messages):.3f} ms of the bot's process")
            reader.cancel()
    if database is not None:
        await database.dispose()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bot_cost", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--messages", type=int, default=400, help="with a picture (400)")
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.messages))
    return 0


if __name__ == "__main__":
    sys.exit(main())
