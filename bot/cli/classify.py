"""`whatsit classify`: names pictures, many at once, and answers in the order they were asked in."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bot.cli import FAILED, OK, USAGE
from bot.cli.language import language_for
from bot.cli.settings import complain, settings_for
from bot.cli.sources import STDIN, Source, Unreadable, sources_of
from bot.cli.terminal import counting, errors, model_progress, safe
from bot.i18n import ENGLISH, N_, Language
from bot.presentation.explanation_sheet import explanation_sheet, mapped
from config.settings import Settings
from inference.charts.client import ChartFailed, ChartPainter
from inference.results import Classification, ImageTooLarge, InferenceError, ModelInfo, ModelUnavailable
from inference.serving.client import Classifier

AHEAD = 24
"""Pictures under way at once: enough to fill batches, few enough that files are read as they are needed."""


@dataclass(frozen=True)
class FileOutcome:
    """What became of one picture."""

    source: str
    result: Classification | InferenceError | Unreadable
    data: bytes = field(default=b"", repr=False)
    """The picture's bytes, where it was named."""

    @property
    def failed(self) -> bool:
        """Whether it was not named."""
        return not isinstance(self.result, Classification)

    def as_json(self, views: str, language: Language | None = None) -> str:
        """Return the object that `--json` prints, on one line and in ASCII, whatever the file is called.

        With a `language` each name has the word for it beside it. A byte of the file's name that is no UTF-8
        is written as `\\xe9`: JSON has no form of its own for it.
        """
        found = self.result
        source = os.fsencode(self.source).decode(errors="backslashreplace")
        if not isinstance(found, Classification):
            return json.dumps({"source": source, "error": {"code": found.code, "message": str(found)}})

        def words(name: str) -> dict[str, str]:
            return {"word": language.labels.form(name)} if language else {}

        return json.dumps(
            {
                "source": source,
                "model": found.model,
                "engine": found.engine,
                "size": list(found.size),
                "labels": [
                    {
                        "label": label.name,
                        **words(label.name),
                        "index": label.index,
                        "probability": round(label.probability, 6),
                    }
                    for label in found.labels
                ],
                "coarse": [
                    {"name": name.name, **words(name.name), "probability": round(name.probability, 6)}
                    for name in found.coarse
                ],
                "views": views,
                "crops": found.views,
                "ms": {"decode": round(found.decode_ms, 3), "predict": round(found.predict_ms, 3)},
            }
        )

    def as_line(self, language: Language) -> str:
        """Return columns with tabs between them, for what is neither a terminal nor `--json`."""
        found = self.result
        if not isinstance(found, Classification):
            return f"{safe(self.source)}\terror: {found}"
        labels = (
            f"{language.labels.form(label.name)} {language.percent(label.probability, 1)}"
            for label in found.labels
        )
        return "\t".join([safe(self.source), *labels])


def main(args: argparse.Namespace) -> int:
    """Return 0 if every picture was named, 1 if some were not. Raises `ConfigError`."""
    settings = settings_for(args)
    # A program that reads JSON finds the same in it whatever the terminal speaks.
    language = None if args.json and args.lang is None else language_for(args)
    if args.files.count(STDIN) > 1:
        complain("standard input (-) can be read only once.")
        return USAGE
    return asyncio.run(_run(args, settings, language))


async def _run(args: argparse.Namespace, settings: Settings, language: Language | None) -> int:
    sources = await asyncio.to_thread(lambda: list(sources_of(args.files)))
    if args.explain and len(sources) != 1:
        complain(f"--explain draws one picture, and {len(sources)} were named.")
        return USAGE
    terminal = sys.stdout.isatty() and not args.json
    console, failed = Console(highlight=False) if terminal else errors(), False
    classifier = Classifier(settings)
    try:
        # Both at once: for a terminal the second imports what the bot needs, which takes a while.
        broken, write = await asyncio.gather(
            start(classifier),
            asyncio.to_thread(_writer, args, settings, language, console if terminal else None),
        )
        if terminal and broken is None:
            console.print(_heading(classifier.info, settings, language or ENGLISH))
        with counting(console, len(sources)) as count:
            async with aclosing(outcomes(classifier, settings, sources, args.top, broken)) as found:
                async for outcome in found:
                    failed |= outcome.failed
                    write(outcome)
                    count()
                    if args.explain and not await _explain(
                        args.explain, classifier, settings, outcome, language
                    ):
                        failed = True
    finally:
        await classifier.close()
    return FAILED if failed else OK


async def _explain(
    target: Path, classifier: Classifier, settings: Settings, outcome: FileOutcome, language: Language | None
) -> bool:
    """Write where the model saw the likeliest names to `target`; return whether that could be done."""
    if not isinstance(outcome.result, Classification):
        return False
    labels = mapped(outcome.result.labels)
    try:
        explained = await classifier.explain(outcome.data, [label.index for label in labels])
        sheet = explanation_sheet(explained, labels, language or ENGLISH)
        png = await ChartPainter(nice=settings.worker.nice).draw(sheet)
        await asyncio.to_thread(target.write_bytes, png)
    except (InferenceError, ChartFailed, OSError) as error:
        complain(f"{safe(str(target))} could not be made: {error}")
        return False
    return True


async def start(classifier: Classifier) -> ModelUnavailable | None:
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


async def outcomes(
    classifier: Classifier,
    settings: Settings,
    sources: Sequence[Source],
    top: int,
    broken: ModelUnavailable | None,
) -> AsyncGenerator[FileOutcome, None]:
    """Yield the outcome of each source, in order, as soon as it and those before it are known."""
    ahead = min(AHEAD, settings.queue.images, settings.queue.images_per_guild)
    under_way: deque[asyncio.Task[FileOutcome]] = deque()
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
) -> FileOutcome:
    if broken is not None:
        return FileOutcome(source.name, source.fault or broken)
    most = settings.limits.image_bytes
    try:
        size = await asyncio.to_thread(source.size)
        async with classifier.admit(min(most, size or most)) as admission:
            data = await asyncio.to_thread(source.read, most + 1)
            if len(data) > most:
                return FileOutcome(
                    source.name, ImageTooLarge(f"It has more than {most:,} bytes (limits.image_bytes).")
                )
            return FileOutcome(source.name, await admission.classify(data, top=top), data)
    except (InferenceError, Unreadable) as error:
        return FileOutcome(source.name, error)


def _writer(
    args: argparse.Namespace, settings: Settings, language: Language | None, terminal: Console | None
) -> Callable[[FileOutcome], None]:
    """Return what prints an outcome, in the way that was asked for."""
    if args.json:
        return lambda outcome: print(outcome.as_json(settings.model.views, language), flush=True)
    if terminal is None:
        return lambda outcome: print(outcome.as_line(language or ENGLISH), flush=True)
    from bot.cli.classify_terminal import show  # noqa: PLC0415 - it imports discord.py, half a second

    return lambda outcome: show(
        terminal,
        outcome.source,
        outcome.result,
        language or ENGLISH,
        top=args.top,
        min_confidence=settings.answers.min_confidence,
        crops=args.views is not None,
    )


def _heading(info: ModelInfo, settings: Settings, language: Language) -> Text:
    sentence = language.gettext(N_("{model} on {engine}, views: {views}"))
    words = sentence.format(model=info.name, engine=info.engine, views=settings.model.views)
    return Text(words, style="dim")
