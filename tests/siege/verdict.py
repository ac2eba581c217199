"""Whether a siege has reached its goals."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence

from inference.results import ModelUnavailable
from tests.siege.siege import Siege

__all__ = ["SLOWER", "verdict"]

ANSWERED = 0.99
"""The share of honest pictures that must be answered."""
SLOWER = 3.0
"""How many times longer an honest picture may take in the siege than before it, at the 95th percentile."""
UNNOTICED = 0.5
"""Seconds of waiting that are no fault, however short the quiet ones were."""


def verdict(run: Siege, channel: str, before: Sequence[str], during: Sequence[str], slower_by: float) -> int:
    """Print what was seen, and return 0 if every goal is reached, 1 if not.

    `before` and `during` are the honest messages in `channel`, and `slower_by` is how many times the quiet
    p95 they may wait.
    """
    stats, posted = run.classifier.stats, len(during)
    quiet, besieged = run.waits(channel, before), run.waits(channel, during)
    share, slower = len(besieged) / posted, _p95(besieged) / _p95(quiet)
    opened = stats.turned_away.get(ModelUnavailable.code, 0)
    goals = {
        f"honest pictures answered: {share:.1%} of {posted}, at least {ANSWERED:.0%}": share >= ANSWERED,
        f"p95 of their waits: {_p95(besieged):.2f} s, {slower:.1f} times the quiet {_p95(quiet):.2f} s, "
        f"at most {slower_by:g}, or {UNNOTICED:g} s": slower <= slower_by or _p95(besieged) <= UNNOTICED,
        f"pictures met by an open breaker: {opened}, at most 0": not opened,
        f"most memory of a child: {run.peak >> 20} MiB, at most {run.settings.worker.memory >> 20}": (
            run.peak <= run.settings.worker.memory
        ),
    }
    print(f"{run.sent} costly pictures; refused: {dict(Counter(stats.refused))}; {stats.restarts} restarts")
    print(
        f"{run.met_a_replacement(channel, during)} of {posted} honest pictures waited while the first worker "
        f"was replaced ({len(run.replaced)} times); most memory of all children: {run.peak_in_all >> 20} MiB"
    )
    for goal, reached in goals.items():
        print(f"{'reached' if reached else 'MISSED'}: {goal}")
    return 0 if all(goals.values()) else 1


def _p95(waits: Sequence[float]) -> float:
    """Return the 95th percentile, infinity where next to nothing was answered."""
    return statistics.quantiles(waits, n=20)[-1] if len(waits) > 1 else math.inf
