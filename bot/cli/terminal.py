"""What a person at a terminal sees: bars, tables, and names that cannot play tricks on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

Report = Callable[[str, float | None], None]


def errors() -> Console:
    """Return the console of standard error, where everything goes that is not the answer itself."""
    return Console(stderr=True, highlight=False)


def safe(text: str) -> str:
    """Return `text` with whatever would move the cursor, ring or not encode written as an escape."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def without_markdown(text: str) -> list[str]:
    """Return the lines of `text` without Discord's marks for bold, code and spoiler, and its escapes."""
    return [
        re.sub(r"\\([^\w\s])", r"\1", re.sub(r"\*\*|`|\|\|", "", line)).rstrip() for line in text.splitlines()
    ]


@contextmanager
def counting(console: Console, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar that the returned call moves by one; none where nobody would see it or there is one step.

    What is printed on `console` meanwhile stands above the bar; standard output is left as it is.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,
        disable=not console.is_terminal or total < 2,  # noqa: PLR2004  # one step is no progress
    )
    with bar:
        task = bar.add_task("pictures", total=total)
        yield lambda: bar.advance(task)


@contextmanager
def model_progress(console: Console) -> Iterator[Report]:
    """Show a bar for each stage of getting a model ready, in the form `Classifier.start` reports."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("starting", total=None)

        def report(stage: str, fraction: float | None) -> None:
            bar.update(
                task, description=stage, total=None if fraction is None else 1.0, completed=fraction or 0.0
            )

        yield report
