"""`whatsit models`: what there is to choose from, what is on this machine, and what can be done for a model.

The work is done by `python -m inference` in a process of its own: nothing of it belongs into this one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bot.cli import FAILED, OK
from bot.cli.settings import complain, settings_for
from bot.cli.terminal import errors, model_progress
from config.settings import Settings


def main(args: argparse.Namespace) -> int:
    """Return 0 if it was done, 1 if it could not be. Raises `ConfigError`."""
    settings = settings_for(args)
    if args.action == "quantize":
        return _do("quantize", settings, args.name, *([str(args.photographs)] if args.photographs else []))
    if args.action == "refresh":
        return _do("refresh", settings)
    return _list(settings, as_json=args.json)


def catalogue(settings: Settings) -> list[dict[str, Any]]:
    """Return each model that has a name, as `whatsit models --json` shows it; none if they cannot be read."""
    with _inference("models", settings) as said:
        return list(said)


def _list(settings: Settings, *, as_json: bool) -> int:
    models = catalogue(settings)
    if as_json:
        for model in models:
            print(json.dumps(model))
    elif sys.stdout.isatty():
        _show(Console(highlight=False), models, settings.model.name)
    else:
        for model in models:
            place = model["cached"] or "not on this machine"
            print(model["name"], model["source"], model["input_size"], model["classes"], place, sep="\t")
    return OK if models else FAILED


def _show(console: Console, models: list[dict[str, Any]], chosen: str) -> None:
    """Print each model below its name, which is whole at any width: it is what one has to type."""
    for model in models:
        place = (
            f"on this machine, {model['bytes'] / 1e6:.0f} MB" if model["cached"] else "not on this machine"
        )
        mark = ", chosen" if model["name"] == chosen else ""
        size = model["input_size"]
        facts = f"{size} x {size} pixels, {model['classes']} classes, {model['licence']}, {place}"
        console.print(
            Text(model["name"] + mark, style="bold", overflow="fold"),
            Padding(Text(f"{model['summary']}.\n{facts}"), (0, 0, 1, 4), expand=False),
        )
    console.print(f"model.name is {chosen}. A SavedModel folder, its .tar.gz or a Hub address will also do.")


def _do(job: str, settings: Settings, *arguments: str) -> int:
    """Do a job that reports its progress and ends in a sentence, and print that."""
    code = FAILED
    with _inference(job, settings, *arguments) as said, model_progress(errors()) as report:
        for words in said:
            match words:
                case {"stage": stage, "fraction": fraction}:
                    report(stage, fraction)
                case {"done": sentence}:
                    print(sentence)
                    code = OK
                case {"error": sentence}:
                    complain(sentence)
    return code


@contextmanager
def _inference(job: str, settings: Settings, *arguments: str) -> Iterator[Iterator[dict[str, Any]]]:
    """Run `python -m inference` with the settings, and give what it says: one JSON object a line.

    It is not of the terminal's own group, so that Ctrl-C is ours alone to hear.
    """
    command = [sys.executable, "-m", "inference", job, settings.model_dump_json(), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:  # noqa: S603  # our own words
        try:
            yield (json.loads(line) for line in process.stdout or ())
        finally:
            process.kill()
