"""The one plot: images a second, by system and by images in flight."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from inference.bench.machine import sentence

# Okabe and Ito's colours (https://jfly.uni-koeln.de/color/) are told apart by every eye; this grey reads on
# white and on black.
COLOURS = {1: "#56B4E9", 8: "#E69F00", 64: "#009E73"}
GREY = "#808080"
BAR = 0.26


def draw(results: dict[str, Any], file: Path) -> None:
    """Write the plot as SVG. Raises KeyError where the results carry no pipeline row."""
    small = [one for one in results["rows"]["pipeline"]["small"] if one["system"] != "decode only"]
    best: dict[str, float] = {}
    for one in small:
        best[one["system"]] = max(best.get(one["system"], 0), one["images_per_second"])
    systems = sorted(best, key=lambda system: -best[system])
    with mpl.rc_context({"svg.hashsalt": "whatsit", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(8, 0.55 * len(systems) + 1.4), layout="constrained")
        axes = figure.add_subplot()
        for place, (in_flight, colour) in enumerate(COLOURS.items()):
            shown = [one for one in small if one["in_flight"] == in_flight]
            bars = axes.barh(
                [systems.index(one["system"]) + (place - 1) * BAR for one in shown],
                [one["images_per_second"] for one in shown],
                height=BAR,
                color=colour,
                label=f"{in_flight} in flight",
            )
            axes.bar_label(bars, fmt="%.0f", padding=3, fontsize=7, color=GREY)
        axes.set_yticks(range(len(systems)), systems, color=GREY)
        axes.invert_yaxis()
        axes.set_xlabel("images a second (0.3 MP JPEGs; bare engines: decoding already done)", color=GREY)
        axes.set_title(fill(sentence(results["machine"]), 110), fontsize=7, color=GREY)
        axes.tick_params(colors=GREY)
        axes.spines[:].set_color(GREY)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, labelcolor=GREY, loc="lower right")
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
