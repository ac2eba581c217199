"""Whatsit as a measured system that is given images when the simulation has them posted."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from inference.bench.measured_whatsit import MeasuredWhatsit
from inference.bench.measuring import clocked, drive, read, stamp
from inference.results import InferenceError


class ReplayedWhatsit(MeasuredWhatsit):
    """Whatsit, with what the check of the simulation measures."""

    async def costs(self, *, pictures: list[str], start: int) -> list[float]:
        """Return the core-seconds that each picture took in the worker, one after the other."""
        return [
            (await self._classifier.classify(stamp(data, start + number))).core_seconds
            for number, data in enumerate(read(pictures))
        ]

    async def crowd(
        self, *, pictures: list[str], order: list[int], start: int, in_flight: int
    ) -> dict[str, Any]:
        """Classify new images, `in_flight` at a time: in `order`, which has places among the pictures."""
        bases = read(pictures)
        images = (stamp(bases[place], start + number) for number, place in enumerate(order))
        with clocked() as sample:
            sample["latencies_ms"] = await drive(self._classifier.classify, images, in_flight)
        return sample

    async def replay(
        self, *, pictures: list[str], arrivals: list[tuple[float, int, int, int]], start: int, seconds: float
    ) -> dict[str, Any]:
        """Classify images when they are posted, and return what was done within `seconds`.

        An arrival is its time in seconds, its server, its place among the pictures and the number of its
        content, which is the same for a repost. What is still in hand at the end is left out, as in the
        simulation.
        """
        bases = read(pictures)
        loop = asyncio.get_running_loop()
        looks: list[float] = []
        refused: list[str] = []

        async def one(server: int, place: int, content: int) -> None:
            began = time.perf_counter()
            try:
                await self._classifier.classify(stamp(bases[place], start + content), group=server)
            except InferenceError as error:
                refused.append(error.code)
            else:
                looks.append(time.perf_counter() - began)

        tasks, began = [], loop.time()
        with clocked() as sample:
            for at, server, place, content in arrivals:
                if (early := began + at - loop.time()) > 0:
                    await asyncio.sleep(early)
                tasks.append(asyncio.create_task(one(server, place, content)))
            await asyncio.sleep(max(began + seconds - loop.time(), 0))
            found = {"looks": list(looks), "refused": list(refused)}
        await asyncio.gather(*tasks)
        return sample | found
