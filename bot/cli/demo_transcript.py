"""The demo's conversation, printed: who asked what, and what the bot really sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import discord
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bot.cli.terminal import safe, without_markdown


def show(
    console: Console, what: str, answers: Sequence[discord.Message], reactions: Sequence[str] = ()
) -> None:
    """Print one exchange: what was done, and the bot's answers and reactions to it."""
    console.print(Text(f"● {safe(what)}", style="bold"))
    said = [Text("\n".join(map(safe, _lines(answer)))) for answer in answers]
    if reactions:  # what nobody asked about and cannot be named gets no words
        said.append(Text(f"the bot reacts with {' '.join(reactions)}"))
    for text in said or [Text("no answer", style="red")]:
        console.print(Padding(text, (0, 0, 0, 4), expand=False))
    console.print()


def names(answers: Sequence[discord.Message], labels: Collection[str]) -> bool:
    """Return whether one of `answers` gives one of `labels`."""
    return any(label in line for answer in answers for line in _lines(answer) for label in labels)


def _lines(message: discord.Message) -> Iterator[str]:
    """Yield the text of a message as a person reads it: content, embeds from top to bottom, buttons."""
    yield from message.content.splitlines()
    for embed in message.embeds:
        for text in (embed.author.name, embed.title, embed.description):
            yield from without_markdown(text or "")
        for field in embed.fields:
            yield from without_markdown(field.name or "")
            yield from without_markdown(field.value or "")
        yield from without_markdown(embed.footer.text or "")
    buttons = [
        child.label for row in message.components for child in getattr(row, "children", []) if child.label
    ]
    if buttons:
        yield " ".join(f"[{label}]" for label in buttons)
