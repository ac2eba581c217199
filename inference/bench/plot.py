"""The one plot: images a second, by system and by images in flight."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from inference.bench.machine import sentence

__all__ = ["draw"]

# Okabe and Ito's colours (https://jfly.uni-koeln.de/color/) are told apart by every eye; this grey reads on
# white and on black.
COLOURS = {1: "#56B4E9", 8: "#E69F00", 64: "#009E73"}
GREY = "#808080"
BAR = 0.26


def draw(results: dict[str, Any], file: Path) -> None:
    """Write the SVG. Raises KeyError where the results carry no pipeline row."""
    small = results["rows"]["pipeline"]["small"]
    rates = {(one["system"], one["in_flight"]): one for one in small if one["system"] != "decode only"}
    systems = sorted(
        {system for system, _ in rates}, key=lambda system: max(_rates(rates, system)), reverse=True
    )
    with mpl.rc_context({"svg.hashsalt": "whatsit", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(8, 0.55 * len(systems) + 1.4), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        for place, (in_flight, colour) in enumerate(COLOURS.items()):
            shown = [
                (row, rates[key]) for row, key in enumerate((s, in_flight) for s in systems) if key in rates
            ]
            axes.barh(
                [row + (place - 1) * BAR for row, _ in shown],
                [one["images_per_second"] for _, one in shown],
                height=BAR,
                color=colour,
                label=f"{in_flight} in flight",
            )
            for row, one in shown:
                axes.annotate(
                    f"{one['images_per_second']:.0f}",
                    (one["images_per_second"], row + (place - 1) * BAR),
                    xytext=(3, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=7,
                    color=GREY,
                )
        axes.set_yticks(range(len(systems)), systems, color=GREY)
        axes.invert_yaxis()
        axes.set_xlabel("images a second (0.3 MP JPEGs; bare engines: decoding already done)", color=GREY)
        axes.set_title(fill(sentence(results["machine"]), 110), fontsize=7, color=GREY)
        axes.tick_params(colors=GREY)
        for side, spine in axes.spines.items():
            spine.set_visible(side in {"left", "bottom"})
            spine.set_color(GREY)
        axes.legend(frameon=False, labelcolor=GREY, loc="lower right")
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})


def _rates(rates: dict[tuple[str, int], Any], system: str) -> list[float]:
    return [one["images_per_second"] for (name, _), one in rates.items() if name == system]
