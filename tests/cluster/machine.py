"""`python -m tests.cluster.machine SETTINGS_FILE head|node LOAD`: `whatsit serve` with a model of the
tests."""

from __future__ import annotations

import sys
from pathlib import Path

from bot.logs.writing import written_log
from bot.stop_signals import stop_signals
from config.loading import load
from inference.cluster.ray_nodes.machine import serve


def main(arguments: list[str]) -> int:
    """Serve until told to stop."""
    file, role, engine = arguments
    wanted = load(Path(file), {})
    with written_log(wanted.log):
        return serve(wanted, stop_signals, head=role == "head", load=engine)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
