"""How much is measured: a quick run of under three minutes on two quiet cores, or the full one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.bare_engine import ENGINES
from inference.bench.pictures import PictureKind

MEGAPIXELS = (0.3, 2.0, 12.0)
LARGE = PictureKind("jpeg", 12.0)


@dataclass(frozen=True)
class BenchPlan:
    """How often and how much; as it stands, the quick run.

    Counts are the usual bot's images; Whatsit gets `ours` times as many, to run for a similar time. `rounds`
    and `counts` map images in flight to the turns of each system and to the images of one turn. `bare` names
    the bare engines, `decode_count` is images a format, size and way, `processed` are the images run for
    growth. `by_kind`: whether the pipeline is measured on every format and size, too.
    """

    rounds: Mapping[int, int] = field(default_factory=lambda: {1: 3, 8: 1, 64: 3})
    counts: Mapping[int, int] = field(default_factory=lambda: {1: 18, 8: 36, 64: 72})
    ours: int = 3
    bare: tuple[str, ...] = ("openvino",)
    large_rounds: int = 2
    large_count: int = 66
    large_ours: int = 2
    stall_count: int = 1_000
    decode_count: int = 3
    known_count: int = 200
    cold_starts: int = 3
    resized_count: int = 36
    by_kind: bool = False
    processed: tuple[int, ...] = (100, 1_000, 10_000)
    waiting: int = 200


QUICK = BenchPlan()
FULL = BenchPlan(
    rounds={1: 5, 8: 5, 64: 7},
    counts={1: 36, 8: 72, 64: 144},
    ours=4,
    bare=ENGINES,
    large_rounds=5,
    large_count=72,
    large_ours=4,
    stall_count=3_000,
    decode_count=18,
    known_count=1_000,
    cold_starts=5,
    resized_count=72,
    by_kind=True,
)
