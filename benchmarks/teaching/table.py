"""The figures as tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.teaching.naming import NamingFigures
from benchmarks.teaching.speed import SpeedFigures

MIB = 1 << 20


def naming_table(figures: Sequence[NamingFigures]) -> str:
    """Return a row for each kind and number of examples."""
    groups = list(dict.fromkeys(name for each in figures for name in each.strangers))
    head = [
        "kind",
        "labels",
        "examples",
        "right",
        "named right",
        "named wrong",
        "nearest mean",
        *groups,
        "same kind",
        "same kind, five “none of these”",
    ]
    rows = (
        [
            each.kind,
            str(each.labels),
            str(each.examples) if each.examples else "1 to 20",
            *map(_percent, (each.right, each.named, each.wrong, each.nearest)),
            *(_percent(each.strangers.get(name)) for name in groups),
            _percent(each.same_kind),
            _percent(each.same_kind_warned),
        ]
        for each in figures
    )
    return _table(head, rows)


def speed_table(speed: SpeedFigures) -> str:
    """Return a row for each figure, with its target."""
    rows = [
        *(
            [
                f"fit of {fit.examples:,} examples",
                f"{fit.seconds:.2f} s ({fit.core_seconds:.2f} s of one core)",
                "0.5 s" if fit.examples <= 2_000 else "2 s",  # noqa: PLR2004 - the target's own number
            ]
            for fit in speed.fits
        ),
        ["a question, median and p95", f"{speed.question_ms:.2f} and {speed.question_p95_ms:.2f} ms", "1 ms"],
        ["p95 while the most are fitted for another server", f"{speed.during_fit_p95_ms:.2f} ms", ""],
        ["test of the most examples", f"{speed.report_seconds:.1f} s", ""],
        ["an example", f"{speed.example_bytes:,} bytes", "1,300 bytes"],
        ["process with one server", f"{speed.resident / MIB:.0f} MiB", ""],
        ["process with 20 servers more", f"{speed.resident_full / MIB:.0f} MiB", ""],
        [
            "and with 100,000 pictures to find again",
            f"{speed.resident_indexed / MIB:.0f} MiB",
            "256 MiB (knowledge.memory)",
        ],
    ]
    return _table(["what", "measured", "target"], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"
