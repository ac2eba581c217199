"""`whatsit bench`: the benchmark, in its own process: it needs the libraries that the bot must not import."""

from __future__ import annotations

import argparse
import subprocess
import sys

BOT = ("--also", "bot.run")
"""What the measured process imports, too: its memory and its start are then a real bot's."""


def main(args: argparse.Namespace) -> int:
    """Run the benchmark with the options `args.rest`; return its exit code."""
    command = [sys.executable, "-m", "inference.bench", *BOT, *args.rest]
    return subprocess.run(command, check=False).returncode  # noqa: S603  # this very interpreter, our own module
