"""A server's statistics: as a chart, in words beside it, and in words in its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from babel.dates import format_interval, format_skeleton

from bot.discord_limits import FILE_DESCRIPTION
from bot.i18n import N_, OPTION, Language
from bot.presentation.label_name import LabelName
from bot.presentation.plain_text import shorten
from bot.store import FIELDS
from bot.store.daily_sums import GuildSums
from bot.store.feedback import OpinionCount
from inference.charts.sheet import (
    ChartSheet,
    Column,
    ColumnPanel,
    RankedRow,
    RankingPanel,
    Share,
    SharesPanel,
    SheetRow,
    Tone,
)

NAMES_DRAWN, NAMES_SAID = 7, 10
WIDTH = 40
"""Characters of a name."""
DAYS_HEIGHT, DETAILS_HEIGHT = 120.0, 152.0
SWITCH: Final = "`/settings how {option}:`"
"""The command that turns the daily counts on or off."""
(SWITCHED,) = FIELDS["statistics"].options
TITLE, PER_DAY = N_("The last {days} days"), N_("Pictures a day")
NAMES, SURE, OPINIONS = N_("Seen most often"), N_("How sure I was"), N_("Right and wrong")
NOTHING, NO_OPINIONS = N_("Nothing yet."), N_("Nobody said anything.")
CERTAINTIES: Final[Mapping[str, tuple[str, Tone]]] = {
    "sure": (N_("sure"), "good"),
    "probably": (N_("probably"), "fair"),
    "maybe": (N_("maybe"), "faint"),
    "not_sure": (N_("not sure"), "fainter"),
}
RIGHT, WRONG = N_("right"), N_("wrong")
LINE, SENTENCE = N_("**{title}**: {words}"), N_("{title}: {words}.")


@dataclass(frozen=True)
class StatisticsWords:
    """Says in one language what was counted in a server, and what people said under "Was this right?"."""

    language: Language
    sums: GuildSums
    opinions: OpinionCount

    def text(self) -> str:
        """Return all that the chart shows in Discord's markdown, but for the single days."""
        say = self.language.gettext
        if not self.sums.total and not self.opinions.all:
            nothing = say(N_("I have not looked at any picture here in the last {days} days."))
            return nothing.format(days=len(self.sums.pictures))
        lines = [f"### {self._title}", self._count]
        details = ((say(title), words) for title, words in self._details() if words)
        lines += [say(LINE).format(title=title, words=words) for title, words in details]
        note = say(N_("The days are UTC's. I keep these sums for a month, and nobody's name. Off: {command}"))
        command = SWITCH.format(option=self.language.pgettext(OPTION, SWITCHED))
        return "\n".join([*lines, f"-# {note.format(command=command)}"])

    def description(self) -> str:
        """Return the chart in plain words, for those who cannot see it; as long as Discord takes it."""
        say, days = self.language.gettext, sorted(self.sums.pictures)
        per_day = say(N_("{what}, from {first} to {last}")).format(
            what=say(PER_DAY), first=self._day(days[0]), last=self._day(days[-1])
        )
        numbers = ", ".join(str(self.sums.pictures[day]) for day in days)
        said = [(say(title), words) for title, words in self._details(plain=True) if words]
        sentences = (
            say(SENTENCE).format(title=title, words=words)
            for title, words in ((self._title, self._count), *said, (per_day, numbers))
        )
        return shorten(self.language.text(*sentences), FILE_DESCRIPTION)

    def sheet(self) -> ChartSheet:
        """Return the chart."""
        say, days = self.language.gettext, sorted(self.sums.pictures)
        count = self.sums.total
        per_day = ColumnPanel(
            title=say(PER_DAY),
            columns=tuple(Column(label=self._day(day), value=self.sums.pictures[day]) for day in days),
        )
        names = RankingPanel(
            title=say(NAMES),
            rows=tuple(
                RankedRow(label=str(LabelName(name, self.language, WIDTH, plain=True)), value=times)
                for name, times in [*self.sums.names.items()][:NAMES_DRAWN]
            ),
            nothing=say(NOTHING),
        )
        certainties = SharesPanel(
            title=say(SURE),
            shares=tuple(
                Share(label=say(word), value=self.sums.certainties.get(name, 0), tone=tone)
                for name, (word, tone) in CERTAINTIES.items()
            ),
            nothing=say(NOTHING),
        )
        opinions = SharesPanel(
            title=say(OPINIONS),
            shares=(
                Share(label=say(RIGHT), value=self.opinions.right, tone="good"),
                Share(label=say(WRONG), value=self.opinions.wrong, tone="bad"),
            ),
            nothing=say(NO_OPINIONS),
        )
        return ChartSheet(
            locale=str(self.language.locale),
            title=self._title,
            subtitle=format_interval(days[0], days[-1], "yMMMd", locale=self.language.locale),
            figure=count,
            unit=self.language.ngettext("picture", "pictures", count),
            rows=(
                SheetRow(height=DAYS_HEIGHT, stacks=((per_day,),)),
                SheetRow(height=DETAILS_HEIGHT, stacks=((names,), (certainties, opinions))),
            ),
        )

    @property
    def _title(self) -> str:
        return self.language.gettext(TITLE).format(days=len(self.sums.pictures))

    @property
    def _count(self) -> str:
        count = self.sums.total
        return self.language.ngettext("{count} picture", "{count} pictures", count).format(
            count=self.language.number(count)
        )

    def _details(self, *, plain: bool = False) -> Iterable[tuple[str, str]]:
        """Yield each title with what stands below it, empty where there is nothing."""
        language = self.language
        names = [*self.sums.names.items()][:NAMES_SAID]
        yield (
            NAMES,
            language.listed(
                f"{LabelName(name, language, WIDTH, plain)} ({language.number(times)})"
                for name, times in names
            ),
        )
        yield (
            SURE,
            self._shares(
                {word: self.sums.certainties.get(name, 0) for name, (word, _) in CERTAINTIES.items()}
            ),
        )
        yield OPINIONS, self._shares({RIGHT: self.opinions.right, WRONG: self.opinions.wrong})

    def _shares(self, shares: Mapping[str, int]) -> str:
        language, total = self.language, sum(shares.values())
        if not total:
            return ""
        return language.listed(
            f"{language.gettext(word)} {language.percent(count / total)} ({language.number(count)})"
            for word, count in shares.items()
        )

    def _day(self, day: date) -> str:
        return format_skeleton("MMMd", day, locale=self.language.locale)
