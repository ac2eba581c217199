"""What there is to reach, and how each figure is worded. The names are those of the JSON's `"ratios"`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class BenchTarget:
    """One figure to reach. With `least` it has to be at least `value`, else at most.

    `skipped` says why the figure is missing where no row has another reason.
    """

    words: str
    value: float
    least: bool = False
    unit: Literal["x", "share", "ms", "s", "MB"] = "x"
    skipped: str = "Its row was not asked for, or a system that it compares is not here."

    def reached(self, figure: float) -> bool:
        """Tell whether the figure is good enough."""
        return figure >= self.value if self.least else figure <= self.value

    def shown(self, figure: float) -> str:
        """Word a figure as a person reads it: `7.1x`, `0.93`, `1/58`, `2.4 ms`."""
        if self.unit == "x":
            return f"{figure:.3g}x"
        if self.unit == "share":
            return f"1/{1 / figure:.3g}" if 0 < figure < 1 / 3 else f"{figure:.2f}"
        return f"{figure:.0f} {self.unit}" if figure >= 100 else f"{figure:.3g} {self.unit}"  # noqa: PLR2004 - three digits

    def aim(self) -> str:
        """Word what there is to reach."""
        return f"at {'least' if self.least else 'most'} {self.shown(self.value)}"


TARGETS: Mapping[str, BenchTarget] = {
    "loop_stall_p99_ms": BenchTarget("stall of the event loop, p99, 500 in flight", 3, unit="ms"),
    "loop_stall_max_ms": BenchTarget("the longest stall of the event loop, 500 in flight", 20, unit="ms"),
    "known_image": BenchTarget(
        "cost of an image already known, as a share of a new one's", 1 / 50, unit="share"
    ),
    "cold_start_s": BenchTarget("from no process at all to the first answer", 1.5, unit="s"),
}
