"""The figures as a page of Markdown, `docs/finding.md`."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.finding.reposts import KNOWN_SHARE, RepostScores, Thresholds
from benchmarks.finding.scale import ScaleResult
from inference.bench.machine import describe
from inference.knowledge.seen_before import SAME_BITS, SAME_COSINE

SHIPPED = Thresholds(SAME_COSINE, SAME_BITS)


def page(pictures: int, fitting: RepostScores, judging: RepostScores, scales: Sequence[ScaleResult]) -> str:
    """Return the page: pictures that were changed and posted again, then large indexes."""
    machine = describe()
    return "\n".join(
        [
            f"Measured on {machine['cores']} cores of {machine['cpu']}, {machine['date']}.",
            "",
            *_reposts(pictures, fitting, judging),
            "",
            *_scales(scales),
            "",
        ]
    )


def _reposts(pictures: int, fitting: RepostScores, judging: RepostScores) -> list[str]:
    known = round(pictures / 2 * KNOWN_SHARE)
    ways = {
        "hash alone": Thresholds(2.0, fitting.fit().bits),
        "fingerprint alone": fitting.fit(most_bits=-1),
        "both": fitting.fit(),
        "both, as shipped": SHIPPED,
    }
    recalls = {name: judging.recall(thresholds) for name, thresholds in ways.items()}
    rows = [
        (change, *(f"{recall[change]:.0%}" for recall in recalls.values())) for change in judging.own_cosines
    ]
    means = ("**mean**", *(f"**{statistics.mean(recall.values()):.1%}**" for recall in recalls.values()))
    alarms = ("false alarms", *(f"{judging.false_alarms(each):.1%}" for each in ways.values()))
    limits = ("least cosine, most bits", *(_words(each) for each in ways.values()))
    return [
        "## Posted before",
        "",
        f"{pictures} pictures: the thresholds are fitted on one half and judged by the other.",
        f"Of each half, {known} are in the index; the others are strangers, and any likeness to a picture",
        "of the index is a false alarm.",
        "",
        *_table(("change", *ways), [*rows, means, alarms, limits]),
    ]


def _words(thresholds: Thresholds) -> str:
    return ", ".join(
        [
            "-" if thresholds.cosine > 1 else f"{thresholds.cosine:.3f}",
            "-" if thresholds.bits < 0 else str(thresholds.bits),
        ]
    )


def _scales(scales: Sequence[ScaleResult]) -> list[str]:
    head = (
        *("pictures", "recall@10", "a query, median", "p95", "p95 that went by on this busy machine"),
        *("adding one, p95", "memory"),
    )
    rows = [
        (
            f"{each.pictures:,}",
            f"{each.recall:.3f}",
            f"{each.median:.1f} ms",
            f"{each.p95:.1f} ms",
            f"{each.waited:.1f} ms",
            f"{each.adding:.2f} ms",
            f"{each.megabytes:.0f} MB",
        )
        for each in scales
    ]
    return ["## The ten nearest of very many", "", *_table(head, rows)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
