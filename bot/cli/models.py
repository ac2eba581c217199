"""`whatsit models`: what there is to choose from, what is on this machine, and what can be done for a model.

The work is done by `python -m inference` in a process of its own: nothing of it belongs into this one.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bot.cli import FAILED, OK
from bot.cli.inference_job import do_inference_job, inference_job
from bot.cli.settings import settings_for
from config.settings import Settings


def main(args: argparse.Namespace) -> int:
    """Return 0 if it was done, 1 if it could not be. Raises `ConfigError`."""
    settings = settings_for(args)
    if args.action == "quantize":
        return do_inference_job(
            "quantize", settings, args.name, *([str(args.photographs)] if args.photographs else [])
        )
    if args.action == "push":
        return do_inference_job("push", settings, *args.places)
    if args.action == "refresh":
        return do_inference_job("refresh", settings)
    return _list(settings, as_json=args.json)


def catalogue(settings: Settings) -> list[dict[str, Any]]:
    """Return each model that has a name, as `whatsit models --json` shows it; none if they cannot be read."""
    with inference_job("models", settings) as said:
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
