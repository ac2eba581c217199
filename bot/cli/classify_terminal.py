"""What `whatsit classify` shows of a picture on a terminal: what Discord would show."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bot.cli.terminal import safe, without_markdown
from bot.i18n import N_, Language
from bot.presentation.answer import body
from bot.presentation.naming import Finding
from inference.results import Classification

LABEL = 80
"""Characters of a label that are shown."""


def show(
    console: Console,
    source: str,
    result: Classification | Exception,
    language: Language,
    *,
    top: int,
    min_confidence: float,
    crops: bool,
) -> None:
    """Print the path of one picture and, below it, its `top` labels or its error.

    `min_confidence` is the setting of that name. `crops` adds how many crops were looked at.
    """
    path = Text(safe(source), style="bold", overflow="fold")
    if isinstance(result, Classification):
        finding = Finding.of(result, min_confidence)
        lines = without_markdown(body(finding, language, top, LABEL, listed=True))
        text = Text("\n".join(map(safe, lines)))
        if crops:
            crops_line = language.gettext(N_("crops: {number}")).format(number=result.views)
            path.append(f"  {crops_line}", style="not bold dim")
    else:
        text = Text(str(result), style="red")
    console.print(path, Padding(text, (0, 0, 1, 4), expand=False))
