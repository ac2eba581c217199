"""`whatsit run` in a process of its own, with a scripted model: `python -m tests.wire.process SCRIPT`.

SCRIPT is JSON: `seconds` an image takes, `one_by_one` if it has the model for itself meanwhile, `load`
seconds the model takes to load, `unavailable` why it cannot. `addresses` are those of Discord in its place.
`ready` is how many seconds discord.py waits for a further server before it says that it is ready. With
`load_from` ("module:function") there is a real worker, and it gets its model there. `log_everything`: every
logger, a library's too, is told to say all that it can. `refusal_window` is how many seconds a refusal of
Discord's counts, in place of ten minutes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any
from unittest.mock import patch

from bot import cli, run
from bot.client import Whatsit
from bot.composition import compose
from bot.connection import request_brake
from bot.logs.writing import written_log
from config.settings import Log
from inference.results import Classification, Features, ModelInfo, ModelUnavailable
from inference.serving.client import Classifier
from tests.wire.bots import SlowModel, in_place_of_discord


class ScriptedModel(SlowModel):
    """A model that takes its time to load, or does not."""

    def __init__(
        self, seconds: float = 0.0, load: float = 0.0, unavailable: str = "", *, one_by_one: bool = False
    ) -> None:
        super().__init__(seconds)
        self.turns = asyncio.Semaphore(1 if one_by_one else 1000)
        self.load = load
        self.unavailable = unavailable

    async def start(self, report: Callable[[str, float | None], None] | None = None) -> ModelInfo:
        print("loading", flush=True)
        await asyncio.sleep(self.load)
        if self.unavailable:
            raise ModelUnavailable(self.unavailable)
        return self.info

    async def classify(
        self,
        data: bytes,
        *,
        top: int = 5,
        group: Hashable = None,
        on_cost: Callable[[float], None] | None = None,
        features: Features | bool = False,
    ) -> Classification:
        async with self.turns:
            return await super().classify(data, top=top, group=group, on_cost=on_cost, features=features)

    async def close(self) -> None:
        print("closed", flush=True)


def main(script: dict[str, Any]) -> int:
    """Run the bot by a script; return its exit code."""
    addresses, ready = script.pop("addresses", None), script.pop("ready", 2.0)
    arguments: list[str] = script.pop("arguments", [])
    load_from, everything = script.pop("load_from", None), script.pop("log_everything", False)
    window = script.pop("refusal_window", request_brake.WINDOW)
    classifier = partial(Classifier, load=load_from) if load_from else lambda _: ScriptedModel(**script)

    def composed(*args: Any, **kwargs: Any) -> Whatsit:
        bot = compose(*args, **kwargs)
        bot._connection.guild_ready_timeout = ready
        return bot

    with (
        patch.object(run, "Classifier", classifier),
        patch.object(run, "compose", composed),
        patch.object(request_brake, "WINDOW", window),
        patch.object(run, "written_log", _log_of_everything if everything else written_log),
        in_place_of_discord(*addresses) if addresses else nullcontext(),
    ):
        return cli.main(["run", *arguments])


@contextmanager
def _log_of_everything(wanted: Log) -> Iterator[None]:
    """Write the log, and have every logger say everything that it can."""
    with written_log(wanted):
        for logger in (logging.root, *logging.root.manager.loggerDict.values()):
            if isinstance(logger, logging.Logger):
                logger.setLevel(1)
        yield


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
