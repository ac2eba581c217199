"""The settings of one command: the file and the variables and, over both, what was typed."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from config.loading import load
from config.settings import Settings


def settings_for(args: argparse.Namespace) -> Settings:
    """Return what the configuration says, with `--model`, `--labels` and `--views` of `args` over it.

    Raises `ConfigError`. A model that was typed does not take the labels of the configured one.
    """
    settings = load(args.config)
    typed: dict[str, Any] = {}
    if getattr(args, "model", None) is not None:
        typed |= {"name": args.model, "labels": None}
    if getattr(args, "labels", None) is not None:
        typed |= {"labels": args.labels}
    if isinstance(getattr(args, "views", None), str):
        typed |= {"views": args.views}
    return settings.model_copy(update={"model": settings.model.model_copy(update=typed)})


def complain(message: object) -> None:
    """Say on standard error what went wrong."""
    print(f"whatsit: {message}", file=sys.stderr)
