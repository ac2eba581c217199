"""What metrics cost: the real bot with its real model, with metrics and without, in turn.

    python -m tests.metrics_cost --pairs 10 --images 200

Two bots are on a stub of Discord each; one serves metrics, which are read every 15 seconds while it works.
In each pair both get the same pictures, one after the other, and who goes first alternates. Compared is the
processor time of the bot and its worker for a picture: where the processor is the limit, throughput is its
inverse. How many are answered a second is shown too, but on a busy machine it says little. The exit status is
0 if the median costs less than 1 %.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import psutil
from PIL import Image

from tests.wire.bots import Process, process
from tests.wire.metrics import Endpoint, free_port
from tests.wire.wire import Wire
from tests.wire.world import new_user

MOST = 0.01
"""The share of the throughput that metrics may cost."""
SCRAPE = 15.0
"""Seconds between two readings. Prometheus' own default is a minute."""
IN_A_MESSAGE = 10
CHANNELS = 10
REAL_MODEL = "inference.models.loading:load"
UNLIMITED = {
    "WHATSIT_MODEL__NAME": "efficientnet_lite0",
    "WHATSIT_LIMITS__GUILD_CORE_SECONDS_PER_MINUTE": "1000000",
    "WHATSIT_QUEUE__IMAGES_PER_GUILD": "256",
}


@dataclass(frozen=True)
class Turn:
    """How one bot did with some pictures, each figure for one picture in seconds."""

    cpu: float
    wall: float


class Bot:
    """A bot at work; with an `endpoint` its metrics are read meanwhile."""

    def __init__(self, wire: Wire, running: Process, endpoint: Endpoint | None) -> None:
        self._wire = wire
        self._process = psutil.Process(running.pid)
        self._endpoint = endpoint
        self._channels = [wire.world.general, *(wire.world.add_channel(f"c{n}") for n in range(1, CHANNELS))]

    async def turn(self, pictures: Sequence[bytes]) -> Turn:
        """Post pictures, and measure until all are answered."""
        world = self._wire.world
        reading = asyncio.create_task(self._read_metrics())
        cpu, begun = self._cpu_seconds(), time.perf_counter()
        posted: set[str] = set()
        for number, first in enumerate(range(0, len(pictures), IN_A_MESSAGE)):
            files = [(f"{n}.jpg", data) for n, data in enumerate(pictures[first : first + IN_A_MESSAGE])]
            channel = self._channels[number % CHANNELS]
            message = await self._wire.post(*files, channel=channel, author=new_user(f"Somebody {number}"))
            posted.add(message["id"])
        await world.until(lambda: posted <= self._answered(), patience=600)
        wall, cpu = time.perf_counter() - begun, self._cpu_seconds() - cpu
        reading.cancel()
        await asyncio.wait([reading])
        return Turn(cpu / len(pictures), wall / len(pictures))

    def _answered(self) -> set[str]:
        return {id_ for channel in self._channels for id_ in self._wire.world.answered(channel)}

    def _cpu_seconds(self) -> float:
        """What the bot and its children have taken of the processor so far."""
        everybody = [self._process, *self._process.children(recursive=True)]
        return sum(times.user + times.system for times in (each.cpu_times() for each in everybody))

    async def _read_metrics(self) -> None:
        while self._endpoint is not None:
            await self._endpoint.samples()
            await asyncio.sleep(SCRAPE)


@asynccontextmanager
async def bot_at_work(folder: Path, *, metrics: bool) -> AsyncIterator[Bot]:
    """A bot that is online, and has its log read."""
    endpoint = Endpoint(free_port()) if metrics else None
    env = {**UNLIMITED, **(endpoint.env if endpoint else {})}
    await asyncio.to_thread(folder.mkdir)
    async with Wire() as wire, process(wire, folder, env, load_from=REAL_MODEL, ready=0.1) as running:
        reader = asyncio.create_task(running.read_log())
        await wire.world.until(lambda: wire.gateway.ready, patience=300)
        yield Bot(wire, running, endpoint)
        reader.cancel()


async def measure(pairs: int, images: int) -> int:
    """Run the pairs, print what they took, and return the exit status."""
    photograph = _photograph()
    ratios: list[Turn] = []
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            on, off = [
                await stack.enter_async_context(bot_at_work(Path(folder, str(metrics)), metrics=metrics))
                for metrics in (True, False)
            ]
            for number in range(-1, pairs):  # the first pair only warms up
                pictures = [photograph + f"{number} {n}".encode() for n in range(images)]
                turns = {}
                for bot in (on, off) if number % 2 else (off, on):
                    turns[bot] = await bot.turn(pictures)
                ratio = Turn(turns[on].cpu / turns[off].cpu, turns[on].wall / turns[off].wall)
                print(
                    f"pair {number + 1}: {1000 * turns[off].cpu:.2f} ms of processor time a picture without, "
                    f"{1000 * turns[on].cpu:.2f} with: {ratio.cpu:.4f}; "
                    f"{1 / turns[off].wall:.1f} and {1 / turns[on].wall:.1f} pictures a second",
                    flush=True,
                )
                if number >= 0:
                    ratios.append(ratio)
    cost = statistics.median(ratio.cpu for ratio in ratios) - 1
    print(
        f"processor time with metrics, over without: median {1 + cost:.4f} of {pairs} pairs, "
        f"{min(r.cpu for r in ratios):.4f} to {max(r.cpu for r in ratios):.4f}; "
        f"wall time: median {statistics.median(r.wall for r in ratios):.4f}"
    )
    return 0 if cost < MOST else 1


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
    parser.add_argument("--pairs", type=int, default=10, help="of turns (10)")
    parser.add_argument("--images", type=int, default=200, help="in a turn (200)")
    arguments = parser.parse_args()
    return asyncio.run(measure(arguments.pairs, arguments.images))


if __name__ == "__main__":
    sys.exit(main())
