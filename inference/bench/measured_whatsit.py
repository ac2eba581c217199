"""Whatsit as a measured system: the process that stands for the bot, with its `Classifier` and its worker."""

from __future__ import annotations

import asyncio
import gc
import importlib
from typing import Any

from config.settings import Settings
from inference.bench.measuring import (
    MeasuredSystem,
    clocked,
    drive,
    heartbeat,
    own_processes,
    read,
    resident_mb,
    unique,
)
from inference.large_buffers import give_back_when_freed
from inference.serving.client import Classifier


class MeasuredWhatsit(MeasuredSystem):
    """A `Classifier` with these `settings` and `load`; `also` names modules that the real bot imports too."""

    def __init__(self, settings: dict[str, Any], also: list[str], load: str) -> None:
        for module in also:
            importlib.import_module(module)
        self._classifier = Classifier(Settings.model_validate(settings), load=load)

    async def open(self) -> dict[str, Any]:
        give_back_when_freed()
        gc.freeze()  # as the bot does when it has imported everything
        return {"engine": (await self._classifier.start()).engine}

    async def close(self) -> None:
        await self._classifier.close()

    async def measure(
        self, *, pictures: list[str], start: int, count: int, in_flight: int, beat: bool = False
    ) -> dict[str, Any]:
        """Classify `count` new images. `beat` also measures how late the loop wakes meanwhile."""
        images = unique(read(pictures), start, count)
        with clocked() as sample:
            if beat:
                async with heartbeat() as sample["late_ms"]:
                    sample["latencies_ms"] = await drive(self._classifier.classify, images, in_flight)
            else:
                sample["latencies_ms"] = await drive(self._classifier.classify, images, in_flight)
        return sample

    async def idle(self, *, seconds: float) -> dict[str, Any]:
        """Measure how late a loop wakes that has nothing else to do."""
        async with heartbeat() as late:
            await asyncio.sleep(seconds)
        return {"late_ms": late}

    async def known(self, *, pictures: list[str], start: int, count: int) -> dict[str, Any]:
        """Classify the same few images again and again, `count` in all, after each was answered once."""
        images = list(unique(read(pictures), start, len(pictures)))
        await drive(self._classifier.classify, iter(images), 1)
        again = (images[number % len(images)] for number in range(count))
        with clocked() as sample:
            sample["latencies_ms"] = await drive(self._classifier.classify, again, 1)
        return sample

    async def resident(self) -> dict[str, float]:
        """Return the megabytes that the bot's process and its workers keep resident now."""
        own, *workers = own_processes()
        return {"bot_mb": resident_mb(own), "worker_mb": sum(map(resident_mb, workers))}
