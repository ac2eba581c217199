"""Rows 3 to 5: decoding, memory and growth."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.plan import LARGE, MEGAPIXELS, BenchPlan
from inference.bench.figures import ratios
from inference.bench.pictures import FORMATS, SMALL, PictureKind
from inference.bench.rows import BenchRow
from inference.bench.session import BenchSession


def decoding(session: BenchSession, plan: BenchPlan) -> BenchRow:
    """Measure milliseconds an image on one thread: all that was encoded, or as much as the model needs."""
    rows = []
    count = plan.decode_count
    with session.start("benchmarks.decoder:Decoder") as decoder:
        for kind in (PictureKind(*pair) for pair in product(FORMATS, MEGAPIXELS)):
            session.report(f"decode, {kind}")
            pictures = session.pictures(kind, count=count)
            ways = {}
            for way in ("full", "scaled"):
                images = {"pictures": pictures, "start": session.numbers(count), "count": count}
                sample = decoder.ask("measure", **images, in_flight=1, full=way == "full")
                ways[f"{way}_ms"] = round(median(sample["latencies_ms"]), 2)
            rows.append({"kind": str(kind), "kilobytes": round(mean(map(_size, pictures)) / 1000), **ways})
    return BenchRow(rows)


def memory_and_growth(session: BenchSession, plan: BenchPlan) -> BenchRow:
    """Measure memory and seconds over 100 to 10,000 images, and memory with a crowd of large ones waiting."""
    session.report(f"memory: {plan.waiting} images of 3 MB waiting")
    heaviest = sorted(session.pictures(LARGE), key=_size)[-4:]
    crowd = {"pictures": heaviest, "start": session.numbers(plan.waiting), "count": plan.waiting}
    with session.whatsit(roomy=False, views="1") as whatsit:
        idle = whatsit.ask("resident")
        flood = whatsit.ask("flood", **crowd, megabytes=_size(heaviest[-1]) / 1e6, guilds=8)
        after_flood = whatsit.ask("resident")
    runs: list[dict[str, Any]] = []
    few, many = plan.processed[-2:]
    with session.whatsit(views="1") as whatsit:
        for count in (*plan.processed, few, many):  # these two twice: the ratio is taken pair by pair
            session.report(f"growth: {count} images")
            sample = whatsit.ask("measure", **session.images(SMALL, count), in_flight=64)
            runs.append({"images": count, "seconds": sample["seconds"], **whatsit.ask("resident")})

    def each(count: int, *keys: str) -> list[float]:
        return [sum(run[key] for key in keys) for run in runs if run["images"] == count]

    resident = {count: each(count, "bot_mb", "worker_mb")[0] for count in (few, many)}
    return BenchRow(
        data={
            "idle": idle,
            "waiting": {
                "images": plan.waiting,
                "megabytes_each": round(mean(map(_size, heaviest)) / 1e6, 2),
                "bot_peak_mb": flood["bot_peak_mb"],
                "seconds": flood["seconds"],
                "after": after_flood,
            },
            "runs": runs,
            "bot_has": session.also,
        },
        figures={
            "growth_10k_over_1k": ratios(each(many, "seconds"), each(few, "seconds")),
            "memory_growth_10k": [resident[many] / resident[few]],
            "bot_rss_mb": [flood["bot_peak_mb"]],
            "worker_rss_mb": each(many, "worker_mb")[:1],
        },
    )


def _size(picture: str) -> int:
    return Path(picture).stat().st_size
