"""How fast a cluster is: `python -m tests.cluster.speed`, on a machine that does nothing else.

One replica against a worker of this process, in turns, on the same cores; what transport costs, with an
engine that takes next to nothing; and 1, 2 and 4 replicas whose engine sleeps, as on machines of their own,
which shows what routing costs. The exit code is 0 if the goals are met.
"""

from __future__ import annotations

import asyncio
import io
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
import psutil
from PIL import Image, ImageEnhance

from config.settings import Model, Settings
from inference.serving.client import Classifier
from tests.cluster.machines import Machine
from tests.cluster.traffic import asking
from tests.inference.fakes import picture

PHOTOGRAPH = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
REAL = "inference.models.loading:load"
MODEL = "efficientnet_lite0"
IMAGES, AT_ONCE, TURNS = 80, 16, 8
LEAST_SHARE = 0.9
"""Of the pictures a second that this machine names without a cluster, those that it names with one."""
LEAST_TIMES = {2: 1.8, 4: 3.5}
"""Replicas: how many times as many pictures as one of them they have to name."""
MOST_TRANSPORT_MS = 3.0
"""Milliseconds of processor time for one picture in the bot, HAProxy and the replica beside its worker."""


def photographs(turn: int) -> list[bytes]:
    """Different pictures each time, so that nothing is remembered."""
    with Image.open(PHOTOGRAPH) as original:
        pictures = []
        for number in range(IMAGES):
            out = io.BytesIO()
            ImageEnhance.Brightness(original).enhance(0.6 + (turn * IMAGES + number) / 2000).save(out, "JPEG")
            pictures.append(out.getvalue())
    return pictures


async def images_a_second(classifier: Classifier, pictures: list[bytes], at_once: int = AT_ONCE) -> float:
    """Return how many of `pictures` are named in a second, `at_once` in flight."""
    left = iter(pictures)

    async def ask() -> None:
        for data in left:
            await classifier.classify(data)

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(at_once)))
    return len(pictures) / (time.perf_counter() - began)


async def against_local(folder: Path) -> bool:
    """Compare one replica with a worker of this process, in turns."""
    machine = Machine(folder, 0, load_from=REAL, places=1, model=MODEL, max_replicas=1)
    machine.start()
    local = Classifier(Settings(model=Model(name=MODEL)))
    try:
        await machine.deployed()
        await local.start()
        async with asking([machine.url], folder / "secret") as cluster:
            await images_a_second(cluster, photographs(2 * TURNS)[:20])
            await images_a_second(local, photographs(2 * TURNS)[20:40])
            shares = []
            for turn in range(TURNS):
                for_local, for_cluster = photographs(2 * turn), photographs(2 * turn + 1)
                alone = 0.0 if turn % 2 else await images_a_second(local, for_local)
                together = await images_a_second(cluster, for_cluster)
                alone = alone or await images_a_second(local, for_local)  # each is first every other time
                shares.append(together / alone)
                print(f"local {alone:.1f}, one replica {together:.1f} pictures a second", flush=True)
    finally:
        await local.close()
        machine.stop()
    share = statistics.median(shares)
    print(f"one replica: {share:.2f} of local (at least {LEAST_SHARE})")
    return share >= LEAST_SHARE


async def transport(folder: Path) -> bool:
    """Measure what a picture costs beside the worker that names it."""
    machine = Machine(folder, 0, load_from="tests.cluster.engines:load", places=1, max_replicas=1)
    machine.start()
    try:
        await machine.deployed()
        async with asking([machine.url], folder / "secret") as cluster:
            await images_a_second(cluster, photographs(TURNS))
            costs = []
            for turn in range(TURNS):
                pictures = photographs(turn)
                before = _transport_seconds(machine)
                await images_a_second(cluster, pictures)
                costs.append(1000 * (_transport_seconds(machine) - before) / IMAGES)
    finally:
        machine.stop()
    cost = statistics.median(costs)
    print(f"transport: {cost:.1f} ms of processor time a picture (at most {MOST_TRANSPORT_MS:g})", flush=True)
    return cost <= MOST_TRANSPORT_MS


def _transport_seconds(machine: Machine) -> float:
    """Return the processor time so far of this process, of HAProxy and of replicas without their workers."""
    ingress = machine.ingress()
    others = [*machine.replicas(), *([ingress] if ingress else [])]
    return sum(sum(each.cpu_times()[:2]) for each in (psutil.Process(), *others))


async def routing(folder: Path) -> bool:
    """Compare 2 and 4 replicas that sleep with one."""
    rates: dict[int, float] = {}
    for replicas in (1, 2, 4):
        machine = Machine(
            folder / str(replicas),
            0,
            load_from="tests.cluster.engines:load_sleeping",
            places=replicas,
            min_replicas=replicas,
            max_replicas=replicas,
        )
        machine.start()
        try:
            await machine.deployed()
            async with asking([machine.url], folder / str(replicas) / "secret") as cluster:
                pictures = [picture(n % 256, n // 256, 1, size=(40, 41)) for n in range(300 * replicas)]
                rates[replicas] = await images_a_second(cluster, pictures, at_once=AT_ONCE * replicas)
        finally:
            machine.stop()
        print(f"{replicas} replicas that sleep: {rates[replicas]:.1f} pictures a second", flush=True)
    times = {replicas: rates[replicas] / rates[1] for replicas in LEAST_TIMES}
    for replicas, least in LEAST_TIMES.items():
        print(f"{replicas} replicas: {times[replicas]:.2f} times one (at least {least})")
    return all(times[replicas] >= least for replicas, least in LEAST_TIMES.items())


async def main() -> int:
    """Measure all three, and return the exit code."""
    with TemporaryDirectory(prefix="wt", dir="/tmp") as folder:
        met = [
            await against_local(Path(folder, "0")),
            await transport(Path(folder, "t")),  # sockets want a short path
            await routing(Path(folder)),
        ]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
