"""What metrics cost: the share that counting and being read have of what a picture costs the real bot.

    python -m tests.metrics_cost --images 400

The real bot, with its real model, answers pictures on a stub of Discord while metrics are on. Three things
are measured: the processor time of the bot and its worker for a picture; how often a picture makes the bot
count something (which its metrics tell themselves), times what the real observer takes for that; and the
processor time of the bot for one reading, times the readings that fall to a picture at one every 15
seconds. Their ratio is what metrics take of the processor, and so of the throughput where the processor is
the limit. Two bots beside each other, one with metrics and one without, differ by more than that for other
reasons. The exit status is 0 if metrics cost less than 1 %.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import psutil
from PIL import Image
from prometheus_client import CollectorRegistry

from bot.metrics.prometheus_observer import PrometheusObserver
from tests.wire.bots import Process, process
from tests.wire.metrics import Endpoint, free_port
from tests.wire.wire import Wire
from tests.wire.world import new_user

MOST = 0.01
"""The share of the throughput that metrics may cost."""
SCRAPE = 15.0
"""Seconds between two readings. Prometheus' own default is a minute."""
READINGS = 200
COUNTS = 200_000
COUNTED = {
    "whatsit_requests_total",
    "whatsit_images_total",
    "whatsit_stage_seconds_count",
    "whatsit_answer_seconds_count",
}
"""What moves whenever the observer is told something."""
IN_A_MESSAGE = 10
MESSAGES_AT_ONCE = 5
CHANNELS = 10
REAL_MODEL = "inference.models.loading:load"
UNLIMITED = {
    "WHATSIT_MODEL__NAME": "efficientnet_lite0",
    "WHATSIT_LIMITS__GUILD_CORE_SECONDS_PER_MINUTE": "1000000",
    "WHATSIT_QUEUE__IMAGES_PER_GUILD": "256",
}


@dataclass(frozen=True)
class Work:
    """What a picture took: seconds of processor time and of the clock, and how often it was counted."""

    cpu: float
    wall: float
    counted: float


class Bot:
    """A bot at work, which serves its metrics."""

    def __init__(self, wire: Wire, running: Process, endpoint: Endpoint) -> None:
        self._wire = wire
        self._process = psutil.Process(running.pid)
        self._endpoint = endpoint
        self._channels = [wire.world.general, *(wire.world.add_channel(f"c{n}") for n in range(1, CHANNELS))]

    async def answer(self, pictures: Sequence[bytes]) -> Work:
        """Post pictures, and measure until all are answered."""
        world = self._wire.world
        counted = await self._counted()
        cpu, begun = self._cpu_seconds(), time.perf_counter()
        posted: set[str] = set()
        for number, first in enumerate(range(0, len(pictures), IN_A_MESSAGE)):
            files = [(f"{n}.jpg", data) for n, data in enumerate(pictures[first : first + IN_A_MESSAGE])]
            channel = self._channels[number % CHANNELS]
            message = await self._wire.post(*files, channel=channel, author=new_user(f"Somebody {number}"))
            posted.add(message["id"])
            # No more than the queue takes: what is turned away is no work.
            await world.until(lambda: len(posted - self._answered()) < MESSAGES_AT_ONCE, patience=600)
        await world.until(lambda: posted <= self._answered(), patience=600)
        wall, cpu = time.perf_counter() - begun, self._cpu_seconds() - cpu
        counted = await self._counted() - counted
        images = len(pictures)
        return Work(cpu / images, wall / images, counted / images)

    async def reading(self) -> float:
        """Return the seconds of processor time that one reading takes the bot, which does nothing else."""
        times = self._process.cpu_times()
        before = times.user + times.system
        for _ in range(READINGS):
            await self._endpoint.get("/metrics")
        times = self._process.cpu_times()
        return (times.user + times.system - before) / READINGS

    async def _counted(self) -> float:
        """How often something was counted so far."""
        samples = await self._endpoint.samples()
        return sum(value for (name, _), value in samples.items() if name in COUNTED)

    def _answered(self) -> set[str]:
        return {id_ for channel in self._channels for id_ in self._wire.world.answered(channel)}

    def _cpu_seconds(self) -> float:
        """What the bot and its children have taken of the processor so far."""
        everybody = [self._process, *self._process.children(recursive=True)]
        return sum(times.user + times.system for times in (each.cpu_times() for each in everybody))


@asynccontextmanager
async def bot_at_work(folder: Path) -> AsyncIterator[Bot]:
    """A bot that is online, serves metrics, and has its log read."""
    endpoint = Endpoint(free_port())
    env = {**UNLIMITED, **endpoint.env}
    async with Wire() as wire, process(wire, folder, env, load_from=REAL_MODEL, ready=0.1) as running:
        reader = asyncio.create_task(running.read_log())
        await wire.world.until(lambda: wire.gateway.ready, patience=300)
        yield Bot(wire, running, endpoint)
        reader.cancel()


def counting() -> float:
    """Return the seconds of processor time that the real observer takes to count one thing."""
    observer = PrometheusObserver(CollectorRegistry())
    begun = time.process_time()
    for _ in range(COUNTS):
        observer.took("predict", 0.003)
    return (time.process_time() - begun) / COUNTS


async def measure(images: int) -> int:
    """Measure, print what was found, and return the exit status."""
    photograph = _photograph()
    with tempfile.TemporaryDirectory() as folder:
        async with bot_at_work(Path(folder)) as bot:
            await bot.answer([photograph + f"first {n}".encode() for n in range(100)])  # only warms up
            work = await bot.answer([photograph + str(n).encode() for n in range(images)])
            reading = await bot.reading()
    once = counting()
    count_share = work.counted * once / work.cpu
    read_share = reading * work.wall / SCRAPE / work.cpu
    print(
        f"a picture: {1000 * work.cpu:.2f} ms of processor time, {1 / work.wall:.1f} a second\n"
        f"counting: {work.counted:.1f} times a picture, {1e6 * once:.2f} us each: {count_share:.3%}\n"
        f"reading: {1000 * reading:.2f} ms every {SCRAPE:g} s: {read_share:.3%}\n"
        f"together {count_share + read_share:.3%} of the throughput"
    )
    return 0 if count_share + read_share < MOST else 1


def _photograph() -> bytes:
    """Return a photograph of 0.3 megapixels, as people post many."""
    file = io.BytesIO()
    with Image.open(Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg") as image:
        image.resize((512, 600)).save(file, "JPEG", quality=85)
    return file.getvalue()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.metrics_cost", description=__doc__.split("\n", 1)[0]
    )
    parser.add_argument("--images", type=int, default=400, help="how many are answered (400)")
    return asyncio.run(measure(parser.parse_args().images))


if __name__ == "__main__":
    sys.exit(main())
