"""Row 7: what `download.resized` saves on 12 MP images, where Discord sends a smaller copy of each."""

from __future__ import annotations

from pathlib import Path
from statistics import mean, median
from typing import Any

from PIL import Image

from benchmarks.plan import LARGE, BenchPlan
from inference.bench.figures import core_ms, ratios
from inference.bench.rows import BenchRow
from inference.bench.session import BenchSession

SHORT_SIDE = 320
"""What the bot asks Discord for where the model's input is 224: 10/7 of it."""
QUALITY = 85
IN_FLIGHT = 8
TURNS = 2


def resized_downloads(session: BenchSession, plan: BenchPlan) -> BenchRow:
    """Classify the same 12 MP JPEGs, whole and as small copies, in turn.

    The copies are made before the clock starts: making them is Discord's work, not the bot's.
    """
    session.report("resized downloads: making the copies")
    whole = session.pictures(LARGE)
    ways = {"whole": whole, "small": [_smaller(picture) for picture in whole]}
    samples: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    with session.whatsit(views="1") as whatsit:
        named = {way: whatsit.ask("name", pictures=pictures) for way, pictures in ways.items()}
        for turn in range(TURNS):
            session.report(f"resized downloads, turn {turn + 1} of {TURNS}")
            for way, pictures in ways.items():
                count = plan.resized_count
                images = {"pictures": pictures, "start": session.numbers(count), "count": count}
                samples[way].append(whatsit.ask("measure", **images, in_flight=IN_FLIGHT))
    kilobytes = {way: mean(Path(one).stat().st_size for one in ways[way]) / 1000 for way in ways}
    seconds = {way: [sample["seconds"] for sample in samples[way]] for way in ways}
    data: dict[str, Any] = {
        way: {
            "kilobytes": round(kilobytes[way], 1),
            "ms": round(1000 * median(seconds[way]) / plan.resized_count, 2),
            "core_ms": round(median(map(core_ms, samples[way])), 2),
        }
        for way in ways
    }
    same = [mine == other for mine, other in zip(named["whole"], named["small"], strict=True)]
    return BenchRow(
        data
        | {
            "times_fewer_bytes": round(kilobytes["whole"] / kilobytes["small"], 1),
            "times_faster": round(median(ratios(seconds["whole"], seconds["small"])), 2),
            "same_top_label": round(mean(same), 3),
        }
    )


def _smaller(picture: str) -> str:
    """Write the copy that the bot asks for: the same aspect ratio, the short side at `SHORT_SIDE` pixels."""
    copy = Path(picture).with_suffix(".small.jpeg")
    with Image.open(picture) as image:
        short = min(image.size)
        width, height = (-(-side * SHORT_SIDE // short) for side in image.size)
        small = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3)
        small.save(copy, quality=QUALITY)
    return str(copy)
