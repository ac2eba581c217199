"""Measure what a cluster costs beside one machine: `python -m benchmarks.cluster_transport`.

One node (`whatsit serve --plain`) and the bot's process stand against a bot with a worker of its own, on the
same cores, in turns. Printed are the ratio of their throughputs, turn by turn, the core-milliseconds an image
that the transport adds (the bot's and the node's processes less the other bot's, all without their workers),
and how large each bot's process became with 200 images of 3 MB waiting.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from config.loading import variable
from config.settings import Settings
from inference.bench.figures import throughput
from inference.bench.machine import describe
from inference.bench.measured_process import MeasuredProcess
from inference.bench.pictures import SMALL, PictureKind, draw_originals, make

START_SECONDS = 120.0
SYSTEM = "benchmarks.compared_whatsit:ComparedWhatsit"
LOAD = "inference.models.loading:load"
QUEUE = {"timeout": 600.0, "images": 1_000, "images_per_guild": 1_000}
HEAVY = PictureKind("jpeg", 12)
WAITING = 200
BUSY = 64
"""In flight, as in the comparison with others."""

MOST_TRANSPORT_MS, LEAST_RATIO, MOST_BOT_MB = 3.0, 0.9, 180.0
"""What issue 13 asks for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; return 0 if all are as good as they should be, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster_transport")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default: 5)")
    parser.add_argument("--count", type=int, default=288, help="images a turn (default: 288)")
    parser.add_argument("--model", default="efficientnet_lite0", help="a model of the catalogue")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        machine = describe()
        print(f"{machine['cores']} cores of {machine['cpu']}, {machine['date']}", flush=True)
        small = [str(file) for file in make(SMALL, Path(folder), draw_originals())]
        heavy = [str(file) for file in make(HEAVY, Path(folder), draw_originals()[:1])]
        node = stack.enter_context(_node(options.model))
        local = stack.enter_context(_bot(options.model))
        cluster = stack.enter_context(_bot(options.model, node.url))
        rows = [
            _turn(local, cluster, node, pictures=small, count=options.count, number=number)
            for number in range(options.rounds + 1)
        ][1:]  # the first turn warms up
        figures = [median(column) for column in zip(*rows, strict=True)]
        size = sum(Path(file).stat().st_size for file in heavy) / len(heavy) / 1e6
        crowd = {"pictures": heavy, "megabytes": size, "start": 10_000_000, "count": WAITING, "guilds": 8}
        peaks = [bot.ask("flood", **crowd)["bot_peak_mb"] for bot in (local, cluster)]
    return _report(rows, figures, peaks)


class ServingNode:
    """A node of its own, and what its process, without its worker, has used of the processor."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self._process = psutil.Process(pid)

    def core_seconds(self) -> float:
        """Return what it has used so far."""
        times = self._process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def _node(model: str) -> Iterator[ServingNode]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    queue = {variable("queue", key): str(value) for key, value in QUEUE.items()}
    command = [sys.executable, "-m", "bot", "serve", "--plain", "--listen", str(port), "--model", model]
    with subprocess.Popen(command, env=os.environ | queue) as process:  # noqa: S603 - our own module
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process)
            yield ServingNode(url, process.pid)
        finally:
            process.terminate()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=5).close()  # noqa: S310 - our own address
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The node could not start; it says above why.")


def _bot(model: str, *urls: str) -> MeasuredProcess:
    """Start a bot's process, with a worker of its own or with nodes."""
    wanted: dict[str, Any] = {"model": {"name": model}, "queue": QUEUE}
    if urls:
        wanted |= {"inference": {"backend": "cluster"}, "cluster": {"urls": list(urls)}}
    settings = Settings.model_validate(wanted).model_dump(mode="json")
    return MeasuredProcess(SYSTEM, settings=settings, also=["bot.run"], load=LOAD)


def _turn(
    local: MeasuredProcess,
    cluster: MeasuredProcess,
    node: ServingNode,
    *,
    pictures: list[str],
    count: int,
    number: int,
) -> tuple[float, float, float, float, float]:
    """Return images a second of both, their ratio, and core-ms an image: the local bot's, and those added."""
    asked = {"pictures": pictures, "start": number * count, "count": count, "in_flight": BUSY}
    one, own = _measured(local, asked)
    before = node.core_seconds()
    other, bots = _measured(cluster, asked)
    nodes = (node.core_seconds() - before) * 1000 / count
    return throughput(one), throughput(other), throughput(other) / throughput(one), own, bots + nodes - own


def _measured(bot: MeasuredProcess, asked: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """Return a sample, and the core-milliseconds an image of the bot's own process."""
    before = bot.ask("own_core_seconds")
    sample = bot.ask("measure", **asked)
    return sample, (bot.ask("own_core_seconds") - before) * 1000 / asked["count"]


def _report(rows: Sequence[Sequence[float]], figures: Sequence[float], peaks: Sequence[float]) -> int:
    head = "images/s local", "images/s cluster", "ratio", "core-ms bot", "core-ms added"
    print("  ".join(f"{each:>16}" for each in head))
    for row in rows:
        print("  ".join(f"{each:16.2f}" for each in row))
    _, _, ratio, _, added = figures
    alone, peak = peaks
    found = (
        ("throughput against one machine, median", f"{ratio:.2f}", f">= {LEAST_RATIO}", ratio >= LEAST_RATIO),
        (
            "transport, core-ms an image, median",
            f"{added:.2f}",
            f"<= {MOST_TRANSPORT_MS:g}",
            added <= MOST_TRANSPORT_MS,
        ),
        (
            f"bot process, peak MB, {WAITING} images waiting (alone: {alone:.0f})",
            f"{peak:.0f}",
            f"<= {MOST_BOT_MB:g}",
            peak <= MOST_BOT_MB,
        ),
    )
    for what, figure, target, is_reached in found:
        print(f"{what}: {figure} ({target}{'' if is_reached else ', not reached'})")
    return 0 if all(is_reached for *_, is_reached in found) else 1


if __name__ == "__main__":
    sys.exit(main())
