"""What there is to reach, and how each figure is worded. The names are those of the JSON's `"ratios"`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["FULL_ONLY", "TARGETS", "Target", "shown"]


@dataclass(frozen=True, slots=True)
class Target:
    """One figure to reach. `least`: the figure has to be at least `value`; else at most."""

    words: str
    value: float
    least: bool = False
    unit: Literal["x", "share", "ms", "s", "MB"] = "x"

    def reached(self, figure: float) -> bool:
        return figure >= self.value if self.least else figure <= self.value


TARGETS: Mapping[str, Target] = {
    "throughput_64": Target("images a second against the usual bot, 0.3 MP, 64 in flight", 6.5, least=True),
    "throughput_64_serial": Target("the same against the usual bot with one thread", 9.5, least=True),
    "throughput_64_12mp": Target("the same on 12 MP JPEGs, default pool", 6.5, least=True),
    "throughput_64_auto": Target("the same on 0.3 MP with views = auto, default pool", 4.5, least=True),
    "throughput_64_int8": Target("the same on 0.3 MP with precision = int8, default pool", 11, least=True),
    "efficiency": Target(
        "(decode-only + predict-only) / end-to-end core-seconds", 0.9, least=True, unit="share"
    ),
    "single_latency": Target("time of one image alone, as a share of the usual bot's", 1 / 6, unit="share"),
    "loop_stall_p99_ms": Target("stall of the event loop, p99, 500 in flight", 3, unit="ms"),
    "loop_stall_max_ms": Target("the longest stall of the event loop, 500 in flight", 20, unit="ms"),
    "known_image": Target("cost of an image already known, as a share of a new one's", 1 / 50, unit="share"),
    "cold_start_s": Target("from no process at all to the first answer", 1.5, unit="s"),
    "growth_10k_over_1k": Target("time for 10,000 images against 1,000", 10.5),
    "memory_growth_10k": Target("resident memory after 10,000 images against 1,000, both processes", 1.05),
    "bot_rss_mb": Target("bot process, peak, with 200 images of 3 MB waiting", 180, unit="MB"),
    "worker_rss_mb": Target("worker process after 10,000 images", 350, unit="MB"),
}

FULL_ONLY = frozenset({"growth_10k_over_1k", "memory_growth_10k", "bot_rss_mb", "worker_rss_mb"})
"""Figures that take too long for a quick run."""


def shown(figure: float, unit: str) -> str:
    """As a person reads it: `7.1x`, `0.93`, `1/58`, `2.4 ms`."""
    if unit == "x":
        return f"{figure:.3g}x"
    if unit == "share":
        return f"1/{1 / figure:.3g}" if 0 < figure < 1 / 3 else f"{figure:.2f}"
    return f"{figure:.0f} {unit}" if figure >= 100 else f"{figure:.3g} {unit}"  # noqa: PLR2004  # three digits
