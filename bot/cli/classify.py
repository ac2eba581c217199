"""`whatsit classify`: names pictures, many at once, and answers in the order they were asked in."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli import FAILED, OK, USAGE
from bot.cli.settings import ConfigError, complain, settings_for
from bot.cli.sources import STDIN, Source, Unreadable, sources_of
from bot.cli.terminal import counting, errors, model_progress, safe
from config.settings import Settings
from inference.results import Classification, ImageTooLarge, InferenceError, ModelUnavailable
from inference.serving.client import Classifier

__all__ = ["main"]

AHEAD = 24
"""Pictures under way at once: enough to fill batches, few enough that files are read as they are needed."""
BAR = 12
"""Characters of a bar that stands for certainty."""


@dataclass(frozen=True)
class Outcome:
    """What became of one picture."""

    source: str
    result: Classification | InferenceError | Unreadable

    @property
    def failed(self) -> bool:
        """Whether it was not named."""
        return not isinstance(self.result, Classification)

    def as_json(self, views: str) -> str:
        """The object that `--json` prints, on one line and in ASCII, whatever the file is called."""
        found = self.result
        if not isinstance(found, Classification):
            return json.dumps({"source": self.source, "error": {"code": found.code, "message": str(found)}})
        return json.dumps(
            {
                "source": self.source,
                "model": found.model,
                "engine": found.engine,
                "size": list(found.size),
                "labels": [
                    {"label": label.name, "index": label.index, "probability": round(label.probability, 6)}
                    for label in found.labels
                ],
                "coarse": [
                    {"name": name.name, "probability": round(name.probability, 6)} for name in found.coarse
                ],
                "views": views,
                "crops": found.views,
                "ms": {"decode": round(found.decode_ms, 3), "predict": round(found.predict_ms, 3)},
            }
        )

    def as_line(self) -> str:
        """Columns with tabs between them, for what is neither a terminal nor `--json`."""
        found = self.result
        if not isinstance(found, Classification):
            return f"{safe(self.source)}\terror: {found}"
        labels = (f"{label.name} {label.probability:.1%}" for label in found.labels)
        return "\t".join([safe(self.source), *labels])


def main(args: argparse.Namespace) -> int:
    """0 if every picture was named, 1 if some were not, 2 for a configuration that cannot be used."""
    try:
        settings = settings_for(args)
    except ConfigError as error:
        complain(error)
        return USAGE
    if args.files.count(STDIN) > 1:
        complain("standard input (-) can be read only once.")
        return USAGE
    return asyncio.run(_run(args, settings))


async def _run(args: argparse.Namespace, settings: Settings) -> int:
    sources = await asyncio.to_thread(lambda: list(sources_of(args.files)))
    terminal = sys.stdout.isatty() and not args.json
    table, failed = _table(show_views=args.views is not None), False
    classifier = Classifier(settings)
    try:
        broken = await _start(classifier)
        with counting(errors(), len(sources)) as count:
            async with aclosing(_outcomes(classifier, settings, sources, args.top, broken)) as outcomes:
                async for outcome in outcomes:
                    failed |= outcome.failed
                    if terminal:
                        _add(table, outcome)
                    else:
                        line = outcome.as_json(settings.model.views) if args.json else outcome.as_line()
                        print(line, flush=True)
                    count()
    finally:  # also when interrupted: what is known by then is shown
        if table.row_count:
            table.caption = _caption(classifier, settings)
            Console().print(table)
        await classifier.close()
    return FAILED if failed else OK


async def _start(classifier: Classifier) -> ModelUnavailable | None:
    """Load the model; the error is said once here, and is every picture's outcome."""
    try:
        with model_progress(errors()) as report:
            info = await classifier.start(report)
    except ModelUnavailable as error:
        complain(error)
        return error
    if info.note:
        complain(info.note)
    return None


async def _outcomes(
    classifier: Classifier,
    settings: Settings,
    sources: Sequence[Source],
    top: int,
    broken: ModelUnavailable | None,
) -> AsyncGenerator[Outcome, None]:
    """The outcome of each source, in order, as soon as it and those before it are known."""
    ahead = min(AHEAD, settings.queue.images, settings.queue.images_per_guild)
    under_way: deque[asyncio.Task[Outcome]] = deque()
    try:
        for source in sources:
            under_way.append(asyncio.create_task(_outcome(classifier, settings, source, top, broken)))
            if len(under_way) == ahead:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _outcome(
    classifier: Classifier, settings: Settings, source: Source, top: int, broken: ModelUnavailable | None
) -> Outcome:
    if broken is not None:
        return Outcome(source.name, source.fault or broken)
    most = settings.limits.image_bytes
    try:
        size = await asyncio.to_thread(source.size)
        async with classifier.admit(min(most, size or most)) as admission:
            data = await asyncio.to_thread(source.read, most + 1)
            if len(data) > most:
                return Outcome(
                    source.name, ImageTooLarge(f"It has more than {most:,} bytes (limits.image_bytes).")
                )
            return Outcome(source.name, await admission.classify(data, top=top))
    except (InferenceError, Unreadable) as error:
        return Outcome(source.name, error)


def _caption(classifier: Classifier, settings: Settings) -> str:
    try:
        info = classifier.info
    except ModelUnavailable:
        return ""
    return f"{info.name} on {info.engine}, views: {settings.model.views}"


def _table(*, show_views: bool) -> Table:
    table = Table(highlight=False, expand=True)
    table.add_column("picture", ratio=2, overflow="fold")
    table.add_column("what it is", ratio=3)
    table.add_column("", width=BAR, no_wrap=True)
    table.add_column("", width=6, no_wrap=True, justify="right")
    if show_views:
        table.add_column("crops", width=5, no_wrap=True, justify="right")
    return table


def _add(table: Table, outcome: Outcome) -> None:
    found = outcome.result
    name = Text(safe(outcome.source))
    if not isinstance(found, Classification):
        table.add_row(name, Text(str(found), style="red"), end_section=True)
        return
    names = Text("\n".join(label.name for label in found.labels), no_wrap=True, overflow="ellipsis")
    bars = Text("\n".join("█" * round(label.probability * BAR) for label in found.labels), style="cyan")
    chances = Text("\n".join(f"{label.probability:.1%}" for label in found.labels))
    crops = [str(found.views)] if len(table.columns) > 4 else []  # noqa: PLR2004  # the column of --views
    table.add_row(name, names, bars, chances, *crops, end_section=True)
