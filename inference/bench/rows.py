"""Rows 2 to 6: the event loop, decoding, memory and growth, images already known; and the first answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

from config.settings import Model
from inference.bench.figures import Spread, percentile
from inference.bench.photographs import FORMATS, MEGAPIXELS, Kind
from inference.bench.plan import LARGE, SMALL, Plan, Row, wanted
from inference.bench.stage import Stage

__all__ = ["cold_start", "decoding", "event_loop", "memory_and_growth", "repeat"]

Say = Callable[[str], None]

CROWD = 500
"""Images in flight while the loop's stalls are measured."""


def event_loop(stage: Stage, plan: Plan, model: Model, also: list[str], say: Say) -> Row:
    """How late the loop of the bot's process wakes while 500 images are in flight."""
    say(f"event loop: {CROWD} in flight")
    with stage.fresh("whatsit", settings=wanted(model, views="1"), also=also) as running:
        idle = running.ask("idle", seconds=1.0)["late_ms"]
        late = running.ask(
            "measure",
            pictures=stage.pictures(SMALL),
            start=stage.numbers(plan.stall_count),
            count=plan.stall_count,
            in_flight=CROWD,
            beat=True,
        )["late_ms"]
    return Row(
        data={
            "in_flight": CROWD,
            "beats": len(late),
            "busy": {"p50_ms": percentile(late, 50), "p99_ms": percentile(late, 99), "max_ms": max(late)},
            "idle": {"p50_ms": percentile(idle, 50), "p99_ms": percentile(idle, 99), "max_ms": max(idle)},
        },
        figures={"loop_stall_p99_ms": [percentile(late, 99)], "loop_stall_max_ms": [max(late)]},
    )


def decoding(stage: Stage, plan: Plan, _model: Model, _also: list[str], say: Say) -> Row:
    """Milliseconds an image on one thread: everything that was encoded, or as much as the model needs."""
    rows = []
    with stage.fresh("decoder", input_size=224) as running:
        for form, size in product(FORMATS, MEGAPIXELS):
            kind = Kind(form, size)
            say(f"decode, {kind}")
            pictures = stage.pictures(kind, count=plan.decode_count)
            ways = {}
            for way in ("full", "scaled"):
                latencies = running.ask(
                    "measure",
                    pictures=pictures,
                    start=stage.numbers(plan.decode_count),
                    count=plan.decode_count,
                    in_flight=1,
                    full=way == "full",
                )["latencies_ms"]
                ways[f"{way}_ms"] = round(Spread.of(latencies).median, 2)
            kilobytes = sum(map(_size, pictures)) / len(pictures) / 1000
            rows.append({"kind": str(kind), "kilobytes": round(kilobytes), **ways})
    return Row(data=rows)


def memory_and_growth(stage: Stage, plan: Plan, model: Model, also: list[str], say: Say) -> Row:
    """Resident sizes and seconds over 100, 1,000 and 10,000 images, and a crowd of large ones that waits."""
    say("memory: 200 images of 3 MB waiting")
    heaviest = sorted(stage.pictures(LARGE), key=_size)[-4:]
    megabytes = _size(heaviest[-1]) / 1e6
    with stage.fresh("whatsit", settings=wanted(model, roomy=False, views="1"), also=also) as running:
        idle = running.ask("resident")
        flood = running.ask(
            "flood",
            pictures=heaviest,
            megabytes=megabytes,
            start=stage.numbers(plan.waiting),
            count=plan.waiting,
            guilds=8,
        )
        after_flood = running.ask("resident")
    runs: list[dict[str, Any]] = []
    with stage.fresh("whatsit", settings=wanted(model, views="1"), also=also) as running:
        for count in (
            *plan.processed,
            *plan.processed[-2:],
        ):  # the last two twice: the ratio is taken pair by pair
            say(f"growth: {count} images")
            sample = running.ask(
                "measure",
                pictures=stage.pictures(SMALL),
                start=stage.numbers(count),
                count=count,
                in_flight=64,
            )
            runs.append({"images": count, "seconds": sample["seconds"], **running.ask("resident")})
    few, many = plan.processed[-2:]
    seconds = {count: [run["seconds"] for run in runs if run["images"] == count] for count in (few, many)}
    resident = {
        count: next(run["bot_mb"] + run["worker_mb"] for run in runs if run["images"] == count)
        for count in (few, many)
    }
    return Row(
        data={
            "idle": idle,
            "waiting": {
                "images": plan.waiting,
                "megabytes_each": round(sum(map(_size, heaviest)) / len(heaviest) / 1e6, 2),
                "bot_peak_mb": flood["bot_peak_mb"],
                "seconds": flood["seconds"],
                "after": after_flood,
            },
            "runs": runs,
            "bot_has": also,
        },
        figures={
            "growth_10k_over_1k": [
                long / short for long, short in zip(seconds[many], seconds[few], strict=True)
            ],
            "memory_growth_10k": [resident[many] / resident[few]],
            "bot_rss_mb": [flood["bot_peak_mb"]],
            "worker_rss_mb": [next(run["worker_mb"] for run in runs if run["images"] == many)],
        },
    )


def repeat(stage: Stage, plan: Plan, model: Model, also: list[str], say: Say) -> Row:
    """What an image costs whose bytes were answered before, alone, against one that is new."""
    say("repeat: images already known")
    pictures = stage.pictures(SMALL)
    known, new = [], []
    with stage.fresh("whatsit", settings=wanted(model, views="1"), also=also) as running:
        for _ in range(3):
            count = 2 * len(pictures)
            fresh = running.ask(
                "measure", pictures=pictures, start=stage.numbers(count), count=count, in_flight=1
            )
            again = running.ask(
                "known", pictures=pictures, start=stage.numbers(len(pictures)), count=plan.known_count
            )
            new.append(percentile(fresh["latencies_ms"], 50))
            known.append(percentile(again["latencies_ms"], 50))
    return Row(
        data={"new_ms": Spread.of(new).median, "known_ms": Spread.of(known).median},
        figures={"known_image": [one / other for one, other in zip(known, new, strict=True)]},
    )


def cold_start(stage: Stage, plan: Plan, model: Model, also: list[str], say: Say) -> Row:
    """Seconds from no process at all to the first label, with a model that an earlier start has checked."""
    seconds = []
    mapped = False
    picture = stage.pictures(SMALL)[:1]
    for number in range(plan.cold_starts):
        say(f"cold start {number + 1} of {plan.cold_starts}")
        start = stage.numbers(1)
        began = time.perf_counter()
        with stage.fresh("whatsit", settings=wanted(model), also=also) as running:
            running.ask("measure", pictures=picture, start=start, count=1, in_flight=1)
            seconds.append(time.perf_counter() - began)
            mapped |= running.ask("tensorflow")
            engine = running.opened["engine"]
    return Row(
        data={"seconds": seconds, "engine": engine, "tensorflow_loaded": mapped},
        figures={"cold_start_s": seconds},
    )


def _size(picture: str) -> int:
    return Path(picture).stat().st_size
