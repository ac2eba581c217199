"""`whatsit run`: the bot on Discord."""

from __future__ import annotations

import argparse

from bot import run
from bot.cli.settings import settings_for


def main(args: argparse.Namespace) -> int:
    """Run the bot and return its exit code. Raises `ConfigError`."""
    return run.run(settings_for(args), args.shards)
