"""What of an answer is counted for the server's statistics."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answering.request import Request
from bot.presentation.answer import Outcome
from bot.presentation.naming import Finding
from bot.store.daily_sums import DailySums
from inference.results import Classification


class Tally:
    """Counts pictures of servers that keep daily sums; of direct messages none."""

    def __init__(self, sums: DailySums) -> None:
        self._sums = sums

    def count(self, request: Request, outcomes: Sequence[Outcome]) -> None:
        """Count what was answered. What only one person saw, or a spoiler hides, is counted without its name.

        An answer that an edit changes is not counted again.
        """
        settings = request.in_force.guild
        if request.guild is None or settings.statistics == "off":
            return
        certainties, names = [], []
        for outcome in outcomes:
            if isinstance(outcome.result, Classification):
                finding = Finding.of(outcome.result, settings.min_confidence)
                certainties.append(finding.certainty.name.lower())
                if not (request.destination.private or outcome.source.spoiler):
                    names.append(finding.said)
        self._sums.add(request.guild.id, certainties, names)
