"""How well a server's labels name its own examples: as a chart, and in words beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.discord_limits import FILE_DESCRIPTION
from bot.i18n import N_, Language
from bot.presentation.plain_text import neutral, shorten
from inference.charts.sheet import ChartSheet, ConfusionPanel, SheetRow, most_confused
from inference.knowledge.results import ENOUGH, MixUp, SuspectExample, TeachingReport

WIDTH = 40
"""Characters of a name."""
PAIRS, SUSPECTS, LABELS = 5, 8, 6
"""Pairs that are mixed up, examples that look wrong, and labels to teach next: at most so many are named."""
SMALLEST, CELL, AROUND = 90.0, 22.0, 110.0
"""Points that the matrix is high at least, that a row takes, and what is around the rows."""

TITLE = N_("How well I know what you taught me")
NAMED, TAUGHT = N_("named as"), N_("taught as")
REFUSED, ANOTHER = N_("no name"), N_("another label")
LINE = N_("**{title}**: {words}")


@dataclass(frozen=True)
class TeachingTestWords:
    """Says in one language how a test of a server's labels went.

    `names` has the name of each label, `links` the address of the message that an example comes from, where
    there still is one.
    """

    language: Language
    report: TeachingReport
    names: Mapping[int, str]
    links: Mapping[int, str]

    def text(self) -> str:
        """Return how it went, and what to do next, in Discord's markdown."""
        say = self.language.gettext
        lines = [f"### {say(TITLE)}", self._result()]
        lines += [
            say(LINE).format(title=say(title), words=words) for title, words in self._details() if words
        ]
        lines += [f"-# {note}" for note in self._notes()]
        return "\n".join(lines)

    def description(self) -> str:
        """Return the chart in plain words, for those who cannot see it; as long as Discord takes it."""
        rows = (
            self.language.gettext(N_("{label}: {right} of {all}")).format(
                label=shorten(self._name(label), WIDTH),
                right=self.language.number(row[place]),
                all=self.language.number(sum(row) + refused),
            )
            for place, (label, row, refused) in enumerate(
                zip(self.report.labels, self.report.confusion, self.report.refused, strict=True)
            )
        )
        return shorten(self.language.text(self._result(), "; ".join(rows)), FILE_DESCRIPTION)

    def sheet(self) -> ChartSheet | None:
        """Return the confusion matrix, of the labels mixed up most where there are many; None where nothing
        could be tested."""
        if not self.report.tested:
            return None
        say, report = self.language.gettext, self.report
        shown = most_confused(report.confusion)
        rest = [place for place in range(len(report.labels)) if place not in shown]
        panel = ConfusionPanel(
            title=self._panel_title(len(shown)),
            labels=tuple(shorten(self._name(report.labels[place]), WIDTH) for place in shown),
            others=(say(REFUSED), *([say(ANOTHER)] if rest else [])),
            counts=tuple(
                (
                    *(report.confusion[row][column] for column in shown),
                    report.refused[row],
                    *([sum(report.confusion[row][column] for column in rest)] if rest else []),
                )
                for row in shown
            ),
            truth=say(TAUGHT),
            given=say(NAMED),
        )
        height = max(SMALLEST, CELL * len(shown)) + AROUND
        return ChartSheet(
            locale=str(self.language.locale),
            title=say(TITLE),
            subtitle=self._result(),
            rows=(SheetRow(height=height, stacks=((panel,),)),),
        )

    def _result(self) -> str:
        report, number = self.report, self.language.number
        if report.accuracy is None:
            return self.language.gettext(
                N_("Nothing can be tested yet: a label needs two examples, one to know it by and one to ask.")
            )
        sentence = self.language.ngettext(
            "Of {tested} example, asked as if I had not seen it, I name {right} right ({share}).",
            "Of {tested} examples, each asked as if I had not seen it, I name {right} right ({share}).",
            report.tested,
        )
        return sentence.format(
            tested=number(report.tested),
            right=number(report.right),
            share=self.language.percent(report.accuracy),
        )

    def _panel_title(self, shown: int) -> str:
        if shown == len(self.report.labels):
            return self.language.gettext(N_("What became of each label's examples"))
        return self.language.gettext(N_("The {shown} labels that are mixed up most")).format(
            shown=self.language.number(shown)
        )

    def _details(self) -> Iterable[tuple[str, str]]:
        """Yield titles, and what there is to say of each, which may be nothing."""
        report = self.report
        pairs = [self._mix_up(pair) for pair in report.mix_ups[:PAIRS]]
        yield N_("Mixed up"), self.language.listed(pairs)
        suspects = [f"\n- {self._suspect(each)}" for each in report.suspects[:SUSPECTS]]
        yield N_("These look wrong"), "".join(suspects)
        yield N_("Teach next"), self._next()

    def _mix_up(self, pair: MixUp) -> str:
        return self.language.gettext(N_("{label} and {other} ({times})")).format(
            label=self._bold(pair.label),
            other=self._bold(pair.other),
            times=self.language.number(pair.times),
        )

    def _suspect(self, suspect: SuspectExample) -> str:
        link = self.links.get(suspect.example)
        number = self.language.gettext(N_("example {number}")).format(number=suspect.example)
        return self.language.gettext(N_("{example} of {label}, which looks like {other}")).format(
            example=f"[{number}]({link})" if link else number,
            label=self._bold(suspect.label),
            other=self._bold(suspect.looks_like),
        )

    def _next(self) -> str:
        thin, weak = self.report.thin[:LABELS], self.report.weak[:LABELS]
        listed = self.language.listed([self._bold(label) for label in thin or weak])
        if thin:
            sentence = N_("{labels}: each needs at least {enough} examples.")
            return self.language.gettext(sentence).format(labels=listed, enough=ENOUGH)
        if weak:
            return self.language.gettext(N_("more pictures of {labels}, as different as they come.")).format(
                labels=listed
            )
        return ""

    def _notes(self) -> Iterable[str]:
        say = self.language.gettext
        if not self.report.nones:
            yield say(
                N_(
                    "I know strangers badly: most things of the same kind that nobody taught me get one of "
                    "your names. Press “Not this” under such answers: even three help a lot."
                )
            )

    def _bold(self, label: int) -> str:
        return f"**{neutral(self._name(label), WIDTH)}**"

    def _name(self, label: int) -> str:
        """Return its name, or its number where it was removed while the test ran."""
        return self.names.get(label, str(label))
