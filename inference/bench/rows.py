"""The rows of the short benchmark: first answer, throughput, event loop, images already known."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from inference.bench.figures import ratios, summary
from inference.bench.pictures import SMALL
from inference.bench.session import BenchSession

CROWD = 500
"""Images in flight while the loop's stalls are measured."""

COUNTS = {1: 54, 8: 108, 64: 216}
"""Images in flight -> images of one turn of `throughput`."""
TURNS = 3


@dataclass
class BenchRow:
    """What one row found: `data` for the JSON and the tables, `figures` by the names of the targets with one
    value a turn, and `skipped`: what was not measured, and why."""

    data: Any
    figures: dict[str, list[float]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def cold_start(session: BenchSession, *, starts: int = 3) -> BenchRow:
    """Measure the seconds from no process at all to the first label, with a model that is ready."""
    seconds = []
    picture = session.pictures(SMALL, count=1)
    for number in range(starts):
        session.report(f"cold start {number + 1} of {starts}")
        first = session.numbers(1)
        began = time.perf_counter()
        with session.whatsit() as whatsit:
            whatsit.ask("measure", pictures=picture, start=first, count=1, in_flight=1)
            seconds.append(time.perf_counter() - began)
            engine = whatsit.opened["engine"]
    return BenchRow(data={"seconds": seconds, "engine": engine}, figures={"cold_start_s": seconds})


def throughput(session: BenchSession, *, counts: dict[int, int] = COUNTS) -> BenchRow:
    """Measure images a second and latencies at several images in flight, and the memory after all of them."""
    rows = []
    with session.whatsit(views="1") as whatsit:
        for in_flight, count in counts.items():
            session.report(f"throughput: {in_flight} in flight")
            turns = [
                whatsit.ask("measure", **session.images(SMALL, count), in_flight=in_flight)
                for _ in range(TURNS)
            ]
            rows.append({"in_flight": in_flight, **summary(turns)})
        return BenchRow(data={"small": rows, "memory": whatsit.ask("resident")})


def event_loop(session: BenchSession, *, count: int = 1_000) -> BenchRow:
    """Measure how late the loop of the bot's process wakes while 500 images are in flight."""
    session.report(f"event loop: {CROWD} in flight")
    with session.whatsit(views="1") as whatsit:
        idle = whatsit.ask("idle", seconds=1.0)["late_ms"]
        busy = whatsit.ask("measure", **session.images(SMALL, count), in_flight=CROWD, beat=True)["late_ms"]
    data: dict[str, Any] = {"in_flight": CROWD, "beats": len(busy)}
    for name, late in (("busy", busy), ("idle", idle)):
        p50, p99 = np.percentile(late, (50, 99))
        data[name] = {"p50_ms": float(p50), "p99_ms": float(p99), "max_ms": max(late)}
    figures = {"loop_stall_p99_ms": [data["busy"]["p99_ms"]], "loop_stall_max_ms": [data["busy"]["max_ms"]]}
    return BenchRow(data, figures)


def known_images(session: BenchSession, *, count: int = 200) -> BenchRow:
    """Measure what an image costs whose bytes were answered before, alone, against one that is new."""
    session.report("images already known")
    known, new = [], []
    with session.whatsit(views="1") as whatsit:
        for _ in range(TURNS):
            images = session.images(SMALL, 2 * len(session.pictures(SMALL)))
            new.append(median(whatsit.ask("measure", **images, in_flight=1)["latencies_ms"]))
            images = session.images(SMALL, count)
            known.append(median(whatsit.ask("known", **images)["latencies_ms"]))
    return BenchRow(
        data={"new_ms": median(new), "known_ms": median(known)}, figures={"known_image": ratios(known, new)}
    )
