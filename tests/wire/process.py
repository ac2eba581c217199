"""`whatsit run` in a process of its own, with a scripted model: `python -m tests.wire.process SCRIPT`.

SCRIPT is JSON: `seconds` an image takes, `one_by_one` if it has the model for itself meanwhile, `load`
seconds the model takes to load, `unavailable` why it cannot. `addresses` are those of Discord in its place.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Hashable
from contextlib import nullcontext
from unittest.mock import patch

from bot import cli, run
from inference.results import Classification, ModelInfo, ModelUnavailable
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

    async def classify(self, data: bytes, *, top: int = 5, group: Hashable = None) -> Classification:
        async with self.turns:
            return await super().classify(data, top=top, group=group)

    async def close(self) -> None:
        print("closed", flush=True)


if __name__ == "__main__":
    script = json.loads(sys.argv[1])
    addresses = script.pop("addresses", None)
    with (
        patch.object(run, "Classifier", lambda _settings: ScriptedModel(**script)),
        in_place_of_discord(*addresses) if addresses else nullcontext(),
    ):
        sys.exit(cli.main(["run"]))
