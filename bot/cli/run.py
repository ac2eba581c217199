"""`whatsit run`: the bot on Discord."""

from __future__ import annotations

import argparse

from bot import run
from bot.cli import USAGE
from bot.cli.settings import complain, settings_for
from config.settings import ConfigError


def main(args: argparse.Namespace) -> int:
    """Run the bot; return its exit code, 2 for a configuration that cannot be used."""
    try:
        return run.run(settings_for(args))
    except ConfigError as error:
        complain(error)
        return USAGE
