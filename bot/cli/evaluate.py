"""`whatsit evaluate`: how good a model is at pictures whose classes are known, looked at as the bot does."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli import FAILED, OK, USAGE
from bot.cli.classify import FileOutcome, outcomes, start
from bot.cli.evaluation import RANKS, Evaluation, JudgedPicture
from bot.cli.evaluation_sheets import (
    MOST_MISTAKES,
    Mistake,
    confusion_sheet,
    mistakes_sheet,
    reliability_sheet,
)
from bot.cli.labelled_folder import BadFolder, LabelledFolder, labelled_folder, spoken
from bot.cli.settings import complain, settings_for
from bot.cli.sources import Source
from bot.cli.terminal import counting, errors, safe
from config.settings import Settings
from inference.charts.client import ChartFailed, ChartPainter
from inference.results import Classification, InferenceError
from inference.serving.client import Classifier

NAMED = 3
"""Files that are named of those that could not be read, and classes of those that a model does not know."""


def main(args: argparse.Namespace) -> int:
    """Return 0 if it was done, 1 if not, 2 for a folder that cannot be used. Raises `ConfigError`."""
    settings = settings_for(args)
    if args.out.exists() and not args.out.is_dir():
        complain(f"{safe(str(args.out))} is a file: name a folder for --out.")
        return USAGE
    try:
        folder = labelled_folder(args.folder)
        return asyncio.run(_evaluate(args, settings, folder))
    except BadFolder as error:
        complain(error)
        return USAGE


async def _evaluate(args: argparse.Namespace, settings: Settings, folder: LabelledFolder) -> int:
    classifier = Classifier(settings)
    try:
        if await start(classifier) is not None:
            return FAILED
        found = await _judged(classifier, settings, folder)
        if found is None:
            return FAILED
        try:
            charts = await _draw(classifier, settings, found)
            await asyncio.to_thread(_write, args.out, charts)
        except (ChartFailed, InferenceError, OSError) as error:
            complain(f"The charts could not be drawn into {safe(str(args.out))}: {error}")
            return FAILED
        model = classifier.info.name
    finally:
        await classifier.close()
    if args.json:
        print(json.dumps(_as_json(model, found)))
    elif sys.stdout.isatty():
        _show(Console(highlight=False), model, found, args.out)
    else:
        print("\n".join(_lines(found)))
    return OK


async def _judged(classifier: Classifier, settings: Settings, folder: LabelledFolder) -> Evaluation | None:
    """Have every picture named; None where none could be read. Raises BadFolder for unknown classes."""
    numbers = class_numbers(folder, classifier.info.labels, classifier.info.name)
    truths = [(file, truth) for truth, files in enumerate(folder.pictures) for file in files]
    judged: list[JudgedPicture] = []
    unreadable: list[FileOutcome] = []
    with counting(errors(), len(truths)) as count:
        sources = [Source(os.fspath(file)) for file, _ in truths]
        async with aclosing(outcomes(classifier, settings, sources, RANKS, None)) as found:
            async for outcome in found:
                truth = truths[len(judged) + len(unreadable)][1]
                if isinstance(outcome.result, Classification):
                    labels = outcome.result.labels
                    judged.append(
                        JudgedPicture(
                            outcome.source,
                            truth,
                            tuple(numbers.get(label.index, -1) for label in labels),
                            tuple(label.name for label in labels),
                            labels[0].probability,
                        )
                    )
                else:
                    unreadable.append(outcome)
                count()
    if unreadable:
        complain(_left_out(unreadable))
    return Evaluation(folder.labels, tuple(judged)) if judged else None


def class_numbers(folder: LabelledFolder, labels: Sequence[str], model: str) -> dict[int, int]:
    """Return the number of its class in the folder for each of the model's labels that has one.

    Raises BadFolder for a class that the model does not know.
    """
    classes = {spoken(label): number for number, label in enumerate(folder.labels)}
    numbers = {
        index: classes[spoken(label)] for index, label in enumerate(labels) if spoken(label) in classes
    }
    unknown = [label for number, label in enumerate(folder.labels) if number not in numbers.values()]
    if unknown:
        named, known = (
            ", ".join(safe(label) for label in some[:NAMED]) + (", ..." if len(some) > NAMED else "")
            for some in (unknown, labels)
        )
        raise BadFolder(
            f"The model {model} does not know {named}, of which there are pictures in "
            f"{safe(str(folder.path))}: give folders the names of its classes ({known}), or name another "
            "--model."
        )
    return numbers


def _left_out(unreadable: Sequence[FileOutcome]) -> str:
    named = "; ".join(f"{safe(outcome.source)}: {outcome.result}" for outcome in unreadable[:NAMED])
    count = len(unreadable)
    noun = "picture" if count == 1 else "pictures"
    more = f" (and {count - NAMED} more)" if count > NAMED else ""
    return f"{count} {noun} could not be read, and left out: {named}{more}"


async def _draw(classifier: Classifier, settings: Settings, found: Evaluation) -> dict[str, bytes]:
    """Return the charts as PNG, by the names of their files. Raises ChartFailed, InferenceError, OSError."""
    model, painter = classifier.info.name, ChartPainter(nice=settings.worker.nice)
    mistakes = []
    for picture in found.worst(MOST_MISTAKES):
        data = await asyncio.to_thread(Path(picture.path).read_bytes)
        mistakes.append(Mistake(picture, await classifier.explain(data, [0])))
    sheets = {
        "confusion_matrix.png": confusion_sheet(model, found),
        "reliability.png": reliability_sheet(model, found),
        "mistakes.png": mistakes_sheet(model, found, mistakes),
    }
    return {name: await painter.draw(sheet) for name, sheet in sheets.items()}


def _write(folder: Path, charts: dict[str, bytes]) -> None:
    """Put the charts into the folder, each in one step. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, png in charts.items():
        new = folder / f".{name}.tmp"
        try:
            new.write_bytes(png)
            new.replace(folder / name)
        finally:
            new.unlink(missing_ok=True)


def _as_json(model: str, found: Evaluation) -> dict[str, object]:
    return {
        "model": model,
        "pictures": len(found.pictures),
        "top_1": round(found.top_1, 6),
        "top_1_interval": [round(each, 6) for each in found.top_1_interval],
        "top_5": round(found.top_5, 6),
        "calibration_error": round(found.calibration_error, 6),
        "classes": [
            {"label": label, "pictures": sum(found.counts[number]), "recall": found.recall(number)}
            for number, label in enumerate(found.labels)
        ],
        "bins": [each._asdict() for each in found.bins],
        "confusion": found.counts,
        "mistakes": [
            {
                "source": os.fsencode(picture.path).decode(errors="backslashreplace"),
                "is": found.labels[picture.truth],
                "said": picture.labels[0],
                "probability": round(picture.probability, 6),
            }
            for picture in found.worst(len(found.pictures))
        ],
    }


def _lines(found: Evaluation) -> list[str]:
    """Return columns with tabs between them: the figures, and then the recall of each class."""
    return [
        f"pictures\t{len(found.pictures)}",
        f"top-1\t{found.top_1:.4f}",
        f"top-5\t{found.top_5:.4f}",
        f"calibration error\t{found.calibration_error:.4f}",
        *(
            f"recall\t{safe(label)}\t{_share(found.recall(number))}\t{sum(found.counts[number])}"
            for number, label in enumerate(found.labels)
        ),
    ]


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.4f}"


def _show(console: Console, model: str, found: Evaluation, out: Path) -> None:
    low, high = found.top_1_interval
    console.print(
        Text(f"{safe(model)} on {len(found.pictures):,} pictures", style="bold"),
        f"first label right (top-1)   {found.top_1:.1%}, of pictures like these {low:.0%} to {high:.0%}",
        f"among the first five (top-5)   {found.top_5:.1%}",
        f"expected calibration error   {found.calibration_error:.1%}",
        sep="\n",
    )
    table = Table("class", "recall", "pictures", box=None, pad_edge=False)
    for number in sorted(range(len(found.labels)), key=lambda each: found.recall(each) or 0.0):
        recall = found.recall(number)
        table.add_row(
            Text(safe(found.labels[number]), overflow="fold"),
            "" if recall is None else f"{recall:.1%}",
            str(sum(found.counts[number])),
        )
    console.print(table)
    console.print(f"Drawn in {safe(str(out))}: confusion_matrix.png, reliability.png, mistakes.png")
