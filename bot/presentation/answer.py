"""Classifications and errors -> what a person sees: embeds, or the same in plain text.

Up to `DETAILED` images have an embed each, with a bar for every guess; more than that share one, a line each.
Whatever comes out is inside Discord's limits, and no label or file name can be more than text in it.

Embeds, not Components V2: both were drawn on the demo's page, at 900 and at 390 pixels. One image looked the
same. Ten images were one screen of a phone as lines of an embed and more than two as sections, whose buttons
fall under their text there. Then, a V2 message can carry no text beside it and can never be turned back, an
edit included; Discord-compatible servers do not know it; and whoever switched embeds off is better served by
the plain text that is there anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import discord

from bot.discord_limits import EMBED_DESCRIPTION, EMBEDS_CHARACTERS, MESSAGE_CONTENT
from bot.i18n import N_, Language
from bot.image_source import ImageSource
from bot.presentation import errors
from bot.presentation.label_name import LabelName
from bot.presentation.naming import Certainty, Finding, beside, guess, guess_in_a_line
from bot.presentation.plain_text import neutral, shorten
from bot.presentation.spoilers import behind_bars, shown_name
from bot.presentation.taught_name import TaughtName
from bot.store import GuildSettings
from config.model_titles import title_of
from config.settings import Settings
from inference.results import Classification, Label

DETAILED = 5
"""Images of one answer that show all their guesses; of more, each shows its best: five embeds of three rows
fill a phone. As many as `/classify` takes, so that a `top` which somebody set is always kept."""
UNNAMED = "⚠️"
ROUNDS_TO_NOTHING = 0.005
LESS_THAN = N_("<{percent}")
BAR, SHORT_BAR = 10, 5  # characters of a bar at 100 %
FAILED, UNSURE, LIKELY, CERTAIN = (discord.Color(value) for value in (0xE0555A, 0x99AAB5, 0x5865F2, 0x2D9D78))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one image: its classification, or the error in which it ended."""

    source: ImageSource
    result: Classification | Exception
    taught: TaughtName | None = None
    """What it is by what its server taught, where that fits."""

    @property
    def is_named(self) -> bool:
        """Whether there is a name for the image, however doubtful."""
        return isinstance(self.result, Classification)


@dataclass(frozen=True, slots=True)
class Answer:
    """One message, in two shapes: `note` above `embeds`, or `plain` where embeds may not be posted.

    `named` says whether anything in it is worth keeping: at least one image has labels.
    """

    note: str = ""
    embeds: tuple[discord.Embed, ...] = ()
    plain: str = ""
    named: bool = False

    @classmethod
    def line(cls, text: str) -> Answer:
        """Return an answer that is one sentence and no labels."""
        return cls(note=text, plain=text)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes answers in one language. A `top` that the asker set wins, and lists also what is in doubt."""

    settings: Settings
    language: Language
    top: int | None = None
    apart: bool = False
    """The answer will not stand under its images, so it shows and names them itself."""
    quiet: bool = False
    """Nobody asked: an image that failed beside others is marked, and not explained."""
    guild: GuildSettings | None = None
    """The server's, in whose place else the owner's defaults hold."""

    def write(self, outcomes: Sequence[Outcome], *notes: str) -> Answer:
        """Return the answer to these outcomes, with the notes that are not empty above it."""
        note = "\n".join(filter(None, notes))
        return Answer(
            note=note,
            embeds=self._embeds(outcomes),
            plain=self._plain(outcomes, note),
            named=any(outcome.is_named for outcome in outcomes),
        )

    def left_out(self, found: int) -> str:
        """Return the line that says how many of the images found are not in the answer; empty if none."""
        shown = self.settings.limits.images_per_answer
        if found <= shown:
            return ""
        sentence = self.language.ngettext(
            "I looked at the first picture and left {more} out.",
            "I looked at the first {shown} pictures and left {more} out.",
            shown,
        )
        return sentence.format(shown=shown, more=found - shown)

    @property
    def min_confidence(self) -> float:
        """Below it nothing is said without a "maybe"."""
        return (self.guild or self.settings.answers).min_confidence

    def _embeds(self, outcomes: Sequence[Outcome]) -> tuple[discord.Embed, ...]:
        embeds: tuple[discord.Embed, ...] = ()
        for top, width in self._shrinking():
            if self._is_list(outcomes):
                embeds = (self._list(outcomes, top, width),)
            else:
                embeds = tuple(
                    self._embed(o, i, len(outcomes), top, width) for i, o in enumerate(outcomes, 1)
                )
            if sum(map(len, embeds)) <= EMBEDS_CHARACTERS and all(
                len(e.description or "") <= EMBED_DESCRIPTION for e in embeds
            ):
                break
        return embeds

    def _plain(self, outcomes: Sequence[Outcome], note: str) -> str:
        text = ""
        for top, width in self._shrinking():
            blocks = [note] if note else []
            if self._is_list(outcomes):
                blocks.append(self._lines(outcomes, top, width))
            else:
                blocks += self._blocks(outcomes, top, width)
            models = _models(outcomes)
            blocks += [f"-# {', '.join(neutral(model, 60) for model in models)}"] if models else []
            text = "\n".join(blocks)
            if len(text) <= MESSAGE_CONTENT:
                break
        return text

    @property
    def _compact(self) -> bool:
        return self.guild is not None and self.guild.style == "compact"

    def _is_list(self, outcomes: Sequence[Outcome]) -> bool:
        return self._compact or len(outcomes) > DETAILED

    def _shrinking(self) -> Iterator[tuple[int, int]]:
        """Yield (labels an image, characters a label), from what was asked for down to what always fits."""
        wanted = self.top or (self.guild or self.settings.answers).top
        yield from ((top, 80) for top in range(wanted, 0, -1))
        yield from ((1, 40), (1, 20))

    def _embed(self, outcome: Outcome, number: int, of: int, top: int, width: int) -> discord.Embed:
        source, result = outcome.source, outcome.result
        embed = discord.Embed(description=self._body(outcome, top, width), color=self._color(result))
        if of > 1 or self.apart:
            # The name of a file may give away what its spoiler hides.
            name = shown_name(neutral(source.filename, 50), self.language, spoiler=source.spoiler)
            embed.title = f"{number}. {name}" if of > 1 else name
        if isinstance(result, Classification):
            embed.set_footer(text=shorten(title_of(result.model), 60))
        self._show_picture(embed, source)
        return embed

    def _list(self, outcomes: Sequence[Outcome], top: int, width: int) -> discord.Embed:
        """Return one embed for all images, in the colour of the least sure one; red only if all failed."""
        shades = (UNSURE, LIKELY, CERTAIN, FAILED)
        worst = min(shades.index(self._color(outcome.result)) for outcome in outcomes)
        embed = discord.Embed(description=self._lines(outcomes, top, width), color=shades[worst])
        if models := _models(outcomes):
            embed.set_footer(text=", ".join(shorten(model, 60) for model in models))
        if len(outcomes) == 1:
            self._show_picture(embed, outcomes[0].source)
        return embed

    def _show_picture(self, embed: discord.Embed, source: ImageSource) -> None:
        shown = self.apart and not source.spoiler
        if shown and urlsplit(source.url).hostname in self.settings.download.hosts:
            embed.set_thumbnail(url=source.url)

    def _lines(self, outcomes: Sequence[Outcome], top: int, width: int) -> str:
        lines = [self._line(outcome, top, width) for outcome in outcomes]
        return (
            lines[0] if len(lines) == 1 else "\n".join(f"`{n:>2}` {line}" for n, line in enumerate(lines, 1))
        )

    def _line(self, outcome: Outcome, top: int, width: int) -> str:
        if isinstance(outcome.result, Exception):
            return self._failure(outcome.result)
        finding = Finding.of(outcome.result, self.min_confidence)
        if finding.doubtful:
            line = guess(finding, self.language, width)
        elif self._compact:
            line = _compact(finding, self.language, top, width)
        else:
            said = guess if finding.certainty < Certainty.SURE else _both_names
            bar = _bar(finding.probability, SHORT_BAR, self.language)
            line = f"{bar} {said(finding, self.language, width)}"
        if outcome.taught:
            line = outcome.taught.before(line, width)
        return behind_bars(line, spoiler=outcome.source.spoiler)

    def _blocks(self, outcomes: Sequence[Outcome], top: int, width: int) -> Iterator[str]:
        for number, outcome in enumerate(outcomes, 1):
            heading = f"**{number}.** " if len(outcomes) > 1 else ""
            text = self._body(outcome, top, width)
            yield f"{heading}\n{text}" if heading and "\n" in text else heading + text

    def _body(self, outcome: Outcome, top: int, width: int) -> str:
        if isinstance(outcome.result, Exception):
            return self._failure(outcome.result)
        finding = Finding.of(outcome.result, self.min_confidence)
        text = body(finding, self.language, top, width, listed=self.top is not None)
        if outcome.taught:
            text = outcome.taught.above(text, finding, self.language, width)
        return behind_bars(text, spoiler=outcome.source.spoiler)

    def _failure(self, error: Exception) -> str:
        return UNNAMED if self.quiet else errors.sentence(error, self.language, self.settings.limits)

    def _color(self, result: Classification | Exception) -> discord.Color:
        if isinstance(result, Exception):
            return FAILED
        return color(Finding.of(result, self.min_confidence))


def link_to(message_url: str, language: Language) -> str:
    """Return a link to the message with the picture, behind words."""
    words = language.gettext("Go to the picture")
    return f"[{words}]({message_url})"


def body(finding: Finding, language: Language, top: int, width: int, *, listed: bool) -> str:
    """Return the name of one image and its guesses, a row each.

    A name that is not sure is said in a sentence; where it is in doubt, there are rows only if `listed`.
    """
    shown = finding.labels[:top] if listed else _likely(finding.labels[:top]) or finding.labels[:1]
    rows = [
        f"{_bar(label.probability, BAR, language)} {LabelName(label.name, language, width)}"
        for label in shown
    ]
    if finding.certainty < Certainty.SURE:
        sentence = guess(finding, language, width)
        return sentence if finding.doubtful and not listed else "\n".join([sentence, *rows])
    if finding.headline:
        return "\n".join([_sure_name(finding, language, width), *rows])
    bar = _bar(finding.probability, BAR, language)
    rows[0] = f"{bar} {_both_names(finding, language, width)}"
    return "\n".join(rows)


def color(finding: Finding) -> discord.Color:
    """Return the colour that shows at a glance how sure a name is."""
    return (UNSURE, UNSURE, LIKELY, CERTAIN)[finding.certainty]


def _sure_name(finding: Finding, language: Language, width: int) -> str:
    return f"**{LabelName(finding.said, language, width)}** {_percent(finding.probability, language)}"


def _both_names(finding: Finding, language: Language, width: int) -> str:
    """Return the everyday name and then the finer one, where there are both; the one that is said is bold."""
    said = f"**{LabelName(finding.said, language, width)}**"
    if finding.headline:
        return f"{said} · {LabelName(finding.finer.name, language, width)}" if finding.finer else said
    everyday = beside(finding.labels[0], language)
    return f"{LabelName(everyday, language, width)} · {said}" if everyday else said


def _compact(finding: Finding, language: Language, top: int, width: int) -> str:
    """Return the names of one image in a single line: `**espresso** 94% · cup 3%`."""
    if finding.certainty < Certainty.SURE:
        first = guess_in_a_line(finding, language, width)
    else:
        first = _sure_name(finding, language, width)
    others = (
        f"{LabelName(each.name, language, width)} {_percent(each.probability, language)}"
        for each in _likely(finding.labels[:top])
        if each.name != finding.said
    )
    return " · ".join([first, *others])


def _likely(labels: Sequence[Label]) -> Sequence[Label]:
    """Return the labels whose probability does not round to 0 %."""
    return [label for label in labels if label.probability >= ROUNDS_TO_NOTHING]


def _bar(probability: float, width: int, language: Language) -> str:
    filled = round(probability * width)
    percent = _percent(probability, language).rjust(language.widest_percent)
    return f"`{'█' * filled}{'░' * (width - filled)} {percent}`"


def _percent(probability: float, language: Language) -> str:
    if 0 < probability < ROUNDS_TO_NOTHING:
        return language.gettext(LESS_THAN).format(percent=language.percent(0.01))
    return language.percent(probability)


def _models(outcomes: Sequence[Outcome]) -> list[str]:
    return list(
        dict.fromkeys(title_of(o.result.model) for o in outcomes if isinstance(o.result, Classification))
    )
