"""`python -m tests.inference.cluster.plain_node SETTINGS LOAD`: a real node, with a model of the tests."""

from __future__ import annotations

import logging
import sys

from bot.stop_signals import stop_signals
from config.settings import Settings
from inference.cluster.plain_server import serve

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    _, settings, load = sys.argv
    sys.exit(serve(Settings.model_validate_json(settings), stop_signals, load=load))
