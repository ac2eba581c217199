"""What there is to reach in the comparison, beside what the short benchmark measures."""

from __future__ import annotations

from collections.abc import Mapping

from inference.bench.targets import TARGETS as SHORT_TARGETS
from inference.bench.targets import BenchTarget

FULL_RUN = "Only the full run measures it."

TARGETS: Mapping[str, BenchTarget] = {
    "throughput_64": BenchTarget(
        "images a second against the usual bot, 0.3 MP, 64 in flight", 6.5, least=True
    ),
    "throughput_64_serial": BenchTarget("the same against the usual bot with one thread", 9.5, least=True),
    "throughput_64_12mp": BenchTarget("the same on 12 MP JPEGs, default pool", 6.5, least=True),
    "throughput_64_auto": BenchTarget("the same on 0.3 MP with views = auto, default pool", 4.5, least=True),
    "throughput_64_int8": BenchTarget(
        "the same on 0.3 MP with precision = int8, default pool", 11, least=True
    ),
    "efficiency": BenchTarget(
        "(decode-only + predict-only) / end-to-end core-seconds", 0.9, least=True, unit="share"
    ),
    "single_latency": BenchTarget(
        "time of one image alone, as a share of the usual bot's", 1 / 6, unit="share"
    ),
    **SHORT_TARGETS,
    "growth_10k_over_1k": BenchTarget("time for 10,000 images against 1,000", 10.5, skipped=FULL_RUN),
    "memory_growth_10k": BenchTarget(
        "resident memory after 10,000 images against 1,000, both processes", 1.05, skipped=FULL_RUN
    ),
    "bot_rss_mb": BenchTarget(
        "bot process, peak, with 200 images of 3 MB waiting", 180, unit="MB", skipped=FULL_RUN
    ),
    "worker_rss_mb": BenchTarget("worker process after 10,000 images", 350, unit="MB", skipped=FULL_RUN),
}
