"""What a server taught, as lists: its labels with bars, and the examples of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.discord_limits import EMBED_DESCRIPTION
from bot.i18n import N_, Language
from bot.presentation.answer import link_to
from bot.presentation.plain_text import neutral
from bot.presentation.teaching_words import NONE_OF_THESE, label_words
from bot.store.tables import TaughtExample
from bot.store.taught_results import MOST_LABELS, LabelCount
from inference.knowledge.results import ENOUGH

BAR = 8
"""Characters of the longest bar."""
NAMES = (40, 20, 12)
"""Characters of a name; fewer where there are many."""
TITLE = N_("What I was taught here")
NOTHING = N_("Nobody has taught me a word here yet. With `/teach` you can.")
STRANGERS = N_(
    "Strangers of the same kind, such as another cat where you taught me yours, I take for one of these "
    "about every second time. What helps most are examples of “none of these”: press “Not this” under such "
    "answers."
)
OTHER_MODEL = N_(
    "I use another model now than when I was taught, and what one model sees another can't compare. So these "
    "must be taught again: {labels}."
)
OTHERS = N_("of another model")
UNDO = N_("To take that back: `/labels undo`.")


@dataclass(frozen=True)
class LabelList:
    """The labels of a server. `kind` is that of the model in use there; None: it cannot be taught."""

    language: Language
    counts: Sequence[LabelCount]
    kind: str | None

    def text(self) -> str:
        """Return the list in markdown, as much of it as fits in an embed."""
        labels = [each for each in self.counts if each.label is not None]
        if not labels:
            return self.language.gettext(NOTHING)
        notes = [note for note in (self._stale(), self._thin()) if note]
        notes.append(self.language.gettext(STRANGERS))
        foot = "\n\n" + "\n".join(notes)
        for width in NAMES:
            text = "\n".join(self._lines(width))
            if len(text + foot) <= EMBED_DESCRIPTION:
                break
        return text[: EMBED_DESCRIPTION - len(foot)] + foot

    def heading(self) -> str:
        """Return the title, with how many labels there are and can be."""
        number, count = self.language.number, sum(each.label is not None for each in self.counts)
        title = self.language.gettext(TITLE)
        return f"{title} ({number(count)}/{number(MOST_LABELS)})"

    def stale(self) -> list[LabelCount]:
        """Return the labels that have examples, and none of the model that is used now."""
        return [
            each for each in self.counts if each.label is not None and each.kinds and not self._count(each)
        ]

    def _lines(self, width: int) -> list[str]:
        most = max(map(self._count, self.counts), default=0) or 1
        digits = len(self.language.number(most))
        lines = []
        for each in self.counts:
            count = self._count(each)
            filled = max(round(BAR * count / most), 1 if count else 0)
            bar = f"{'█' * filled}{'░' * (BAR - filled)} {self.language.number(count).rjust(digits)}"
            name = (
                neutral(each.name, width) if each.label is not None else self.language.gettext(NONE_OF_THESE)
            )
            lines.append(f"`{bar}` {f'**{name}**' if each.label is not None else f'*{name}*'}")
        return lines

    def _count(self, each: LabelCount) -> int:
        return each.kinds.get(self.kind, 0) if self.kind else 0

    def _stale(self) -> str:
        if not (stale := self.stale()):
            return ""
        labels = self.language.listed(label_words(each.name, self.language) for each in stale[:10])
        return "⚠️ " + self.language.gettext(OTHER_MODEL).format(labels=labels)

    def _thin(self) -> str:
        thin = [each for each in self.counts if each.label is not None and 0 < self._count(each) < ENOUGH]
        if not thin:
            return ""
        labels = self.language.listed(label_words(each.name, self.language) for each in thin[:10])
        sentence = N_("Fewer than {enough} examples, so I'm often wrong with them: {labels}.")
        return self.language.gettext(sentence).format(enough=self.language.number(ENOUGH), labels=labels)


def example_lines(
    guild_id: int, examples: Sequence[TaughtExample], kind: str | None, language: Language
) -> list[str]:
    """Return a line for each example: its number, when it was taught, and where its picture is."""
    lines = []
    for each in examples:
        line = f"`{each.example}` {discord.utils.format_dt(each.made_at, 'd')}"
        if link := example_link(guild_id, each):
            line += f" · {link_to(link, language)}"
        if each.kind != kind:
            line += f" · {language.gettext(OTHERS)}"
        lines.append(line)
    return lines


def example_link(guild_id: int, example: TaughtExample) -> str:
    """Return the address of the message that an example's picture is in; empty where that is not known."""
    if example.channel_id is None or example.message_id is None:
        return ""
    return f"https://discord.com/channels/{guild_id}/{example.channel_id}/{example.message_id}"
