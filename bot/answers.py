"""Classifications and errors -> what a person sees: an embed an image, or the same in plain text.

Whatever comes out is inside Discord's limits, and no label or file name can be more than text in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import discord

from bot import errors
from bot.i18n import Language
from bot.media import Source
from config.settings import Settings
from inference.results import Classification, Label

__all__ = ["Answer", "Outcome", "Writer", "neutral"]

EMBEDS_TOTAL = 6000  # characters of all embeds of a message together
CONTENT = 2000  # characters of a message's text
BAR = 10  # characters of a bar at 100 %
SURE, LIKELY, UNSURE, FAILED = (discord.Color(value) for value in (0x2D9D78, 0x5865F2, 0x99AAB5, 0xE0555A))

_MARKUP = re.compile(r"([\\*_~|`<\[/])")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\s]+")
_SOUNDS_LIKE_A_VOWEL = re.compile(r"(?!uni|eu|one\b|ura)[aeiou]|hou?r|heir|x-", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one image: its classification, or the error in which it ended."""

    source: Source
    result: Classification | Exception


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
        """An answer that is one sentence and no labels."""
        return cls(note=text, plain=text)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes answers in one language. A `top` that the asker set wins, and lists also what is in doubt."""

    settings: Settings
    language: Language
    top: int | None = None
    apart: bool = False
    """The answer will not stand under its images, so it shows and names them itself."""

    def write(self, outcomes: Sequence[Outcome], *notes: str) -> Answer:
        note = "\n".join(filter(None, notes))
        return Answer(
            note=note,
            embeds=self._embeds(outcomes),
            plain=self._plain(outcomes, note),
            named=any(isinstance(outcome.result, Classification) for outcome in outcomes),
        )

    def left_out(self, found: int) -> str:
        """The line that says how many of the images found are not in the answer; empty if none."""
        shown = self.settings.limits.images_per_answer
        if found <= shown:
            return ""
        return self.language.ngettext(
            "I looked at the first {shown} images; {more} more was left out.",
            "I looked at the first {shown} images; {more} more were left out.",
            found - shown,
        ).format(shown=shown, more=found - shown)

    def _embeds(self, outcomes: Sequence[Outcome]) -> tuple[discord.Embed, ...]:
        embeds: tuple[discord.Embed, ...] = ()
        for top, width in self._shrinking():
            embeds = tuple(self._embed(o, i, len(outcomes), top, width) for i, o in enumerate(outcomes, 1))
            if sum(map(len, embeds)) <= EMBEDS_TOTAL:
                break
        return embeds

    def _plain(self, outcomes: Sequence[Outcome], note: str) -> str:
        text = ""
        for top, width in self._shrinking():
            blocks = [note] if note else []
            for number, outcome in enumerate(outcomes, 1):
                heading = f"**{number}.** " if len(outcomes) > 1 else ""
                body = self._body(outcome, top, width)
                blocks.append(f"{heading}\n{body}" if heading and "\n" in body else heading + body)
            models = dict.fromkeys(
                neutral(outcome.result.model, 60)
                for outcome in outcomes
                if isinstance(outcome.result, Classification)
            )
            blocks += [f"-# {', '.join(models)}"] if models else []
            text = "\n".join(blocks)
            if len(text) <= CONTENT:
                break
        return text

    def _shrinking(self) -> Iterator[tuple[int, int]]:
        """(labels an image, characters a label), from what was asked for down to what always fits."""
        wanted = self.top or self.settings.answers.top
        yield from ((top, 80) for top in range(wanted, 0, -1))
        yield from ((1, 40), (1, 20))

    def _embed(self, outcome: Outcome, number: int, of: int, top: int, width: int) -> discord.Embed:
        source, result = outcome.source, outcome.result
        embed = discord.Embed(description=self._body(outcome, top, width), color=self._color(result))
        if of > 1 or self.apart:
            # The name of a file may give away what its spoiler hides.
            name = self.language.gettext("spoiler") if source.spoiler else neutral(source.filename, 50)
            embed.title = f"{number}. {name}" if of > 1 else name
        if isinstance(result, Classification):
            embed.set_footer(text=_shorten(result.model, 60))
        if (
            self.apart
            and not source.spoiler
            and urlsplit(source.url).hostname in self.settings.download.hosts
        ):
            embed.set_thumbnail(url=source.url)
        return embed

    def _body(self, outcome: Outcome, top: int, width: int) -> str:
        if isinstance(outcome.result, Exception):
            return errors.sentence(outcome.result, self.language, self.settings.limits)
        labels = outcome.result.labels[:top]
        rows = [_row(label, width, best=label is labels[0]) for label in labels]
        if self._doubtful(outcome.result):
            guess = self._guess(neutral(labels[0].name, width))
            rows = [guess, *rows] if self.top else [guess]
        body = "\n".join(rows)
        return f"||{body}||" if outcome.source.spoiler else body

    def _guess(self, name: str) -> str:
        if _SOUNDS_LIKE_A_VOWEL.match(name):
            return self.language.gettext("I'm not sure. Maybe an **{label}**?").format(label=name)
        return self.language.gettext("I'm not sure. Maybe a **{label}**?").format(label=name)

    def _doubtful(self, result: Classification) -> bool:
        return result.labels[0].probability < self.settings.answers.min_confidence

    def _color(self, result: Classification | Exception) -> discord.Color:
        if isinstance(result, Exception):
            return FAILED
        if self._doubtful(result):
            return UNSURE
        return SURE if result.labels[0].probability >= 0.8 else LIKELY  # noqa: PLR2004 - two shades, no policy


def _row(label: Label, width: int, *, best: bool) -> str:
    filled = round(label.probability * BAR)
    percent = f"{label.probability:.0%}" if label.probability >= 0.005 or not label.probability else "<1%"  # noqa: PLR2004
    name = neutral(label.name, width)
    return f"`{'█' * filled}{'░' * (BAR - filled)} {percent:>4}` {f'**{name}**' if best else name}"


def neutral(text: str, width: int) -> str:
    """`text` as one line of at most `width` visible characters, without working markdown, mention or link."""
    return _MARKUP.sub(r"\\\1", _shorten(text, width)).replace("@", "@\u200b")


def _shorten(text: str, width: int) -> str:
    line = _UNSEEN.sub(" ", text).strip()
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"
