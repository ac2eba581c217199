"""A real bot on the stub of Discord, under the eyes of a real Prometheus, and what can be done to it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from bot.metrics.readiness import CHECKS
from tests.alerts.prometheus import PATIENCE, Prometheus
from tests.inference.fakes import Deed, deed, picture
from tests.wire.bots import Process, process
from tests.wire.metrics import Endpoint
from tests.wire.wire import Wire
from tests.wire.world import new_user

REFUSALS_COUNT = 20
"""Seconds for which a refusal of Discord's counts here, in place of ten minutes."""


class WatchedBot:
    """One bot. Its model is fine unless `told` says something else when a worker loads it."""

    def __init__(
        self, wire: Wire, folder: Path, endpoint: Endpoint, prometheus: Prometheus, env: dict[str, str]
    ) -> None:
        self.wire = wire
        self.prometheus = prometheus
        self.told = folder / "told"
        self.store = folder / "whatsit.sqlite3"
        self._folder = folder
        self._endpoint = endpoint
        self.env = {**endpoint.env, "WHATSIT_MODEL__NAME": str(self.told), **env}
        self._numbers = itertools.count()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Process]:
        """Let it run while the block lasts, from when nothing is wrong with it on."""
        self.told.write_text("fine")
        async with process(
            self.wire,
            self._folder,
            self.env,
            load_from="tests.inference.fakes:load_if_told",
            refusal_window=REFUSALS_COUNT,
            ready=0.1,
        ) as running:
            await self._endpoint.until(lambda seen: seen.of("whatsit_ready") == len(CHECKS))
            await self.prometheus.until_quiet()
            yield running

    @staticmethod
    def kill_worker(running: Process) -> None:
        """kill -9 of the worker; the bot notices when the next picture comes."""
        psutil.Process(running.pid).children()[0].kill()

    async def post(self, what: Deed | None = None, channel: str | None = None) -> None:
        """Somebody new posts a picture that was never there before; `what` it makes the worker do."""
        number = next(self._numbers)
        size = (40 + number // 200, 40)
        data = picture(number % 200, size=size) if what is None else deed(what, number % 200, size=size)
        author = new_user(f"Somebody {number}")
        await self.wire.post((f"{number}.png", data), channel=channel, author=author)

    def answers(self) -> int:
        """How many answers stand, in all channels."""
        return sum(len(self.wire.world.answers(channel)) for channel in self.wire.world.channels)

    @asynccontextmanager
    async def posting(self, every: float, what: Deed | None = None, channels: int = 1) -> AsyncIterator[None]:
        """Have a picture posted every so many seconds while the block lasts, in so many channels in turn."""
        world = self.wire.world
        places = [world.general, *(world.add_channel(f"channel-{n}") for n in range(1, channels))]

        async def post_on() -> None:
            for place in itertools.cycle(places):
                await self.post(what, place)
                await asyncio.sleep(every)

        task = asyncio.create_task(post_on())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that the stub sees. Raises TimeoutError where it does not come."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.05)
