"""The product as a measured system: the process that a bot would be, with its `Classifier` and its worker."""

from __future__ import annotations

import asyncio
import gc
import importlib
import urllib.request
from typing import Any

from config.settings import Settings
from inference.bench.drive import drive, heartbeat
from inference.bench.numbering import stamp, unique
from inference.bench.sampling import clocked, has_tensorflow, peak, read, resident_mb, team
from inference.serving.client import Classifier

__all__ = ["Whatsit"]

CHUNK = 64 * 1024
"""Bytes of one read of a pretended download."""


class Whatsit:
    """`settings` are Whatsit's own; `also` names modules to import first, as the real bot has them."""

    def __init__(
        self, settings: dict[str, Any], also: list[str], load: str = "inference.models.loading:load"
    ) -> None:
        for module in also:
            importlib.import_module(module)
        self._classifier = Classifier(Settings.model_validate(settings), load=load)

    async def open(self) -> dict[str, Any]:
        gc.freeze()  # as the bot does when it has imported everything
        info = await self._classifier.start()
        return {"name": info.name, "engine": info.engine, "note": info.note}

    async def close(self) -> None:
        await self._classifier.close()

    async def measure(
        self, *, pictures: list[str], start: int, count: int, in_flight: int, beat: bool = False
    ) -> dict[str, Any]:
        """New images, each with bytes of its own. `beat` also measures how late the loop wakes meanwhile."""
        images = unique(read(pictures), start, count)
        with clocked() as sample:
            if beat:
                async with heartbeat() as sample["late_ms"]:
                    sample["latencies_ms"] = await drive(self._classifier.classify, images, in_flight)
            else:
                sample["latencies_ms"] = await drive(self._classifier.classify, images, in_flight)
        return sample

    async def idle(self, *, seconds: float) -> dict[str, Any]:
        """How late a loop wakes that has nothing else to do."""
        async with heartbeat() as late:
            await asyncio.sleep(seconds)
        return {"late_ms": late}

    async def known(self, *, pictures: list[str], start: int, count: int) -> dict[str, Any]:
        """The same few images again and again, all answered once before."""
        images = list(unique(read(pictures), start, len(pictures)))
        await drive(self._classifier.classify, iter(images), 1)
        again = (images[number % len(images)] for number in range(count))
        with clocked() as sample:
            sample["latencies_ms"] = await drive(self._classifier.classify, again, 1)
        return sample

    async def name(self, *, pictures: list[str]) -> list[str]:
        """The first label of each."""
        return [(await self._classifier.classify(data, top=1)).labels[0].name for data in read(pictures)]

    async def views(self, *, pictures: list[str]) -> float:
        """Crops looked at for an image, on average."""
        seen = [(await self._classifier.classify(data)).views for data in read(pictures)]
        return sum(seen) / len(seen)

    async def resident(self) -> dict[str, float]:
        """Megabytes that the bot's process and its workers keep resident now."""
        own, *workers = team()
        return {"bot_mb": resident_mb(own), "worker_mb": sum(map(resident_mb, workers))}

    async def tensorflow(self) -> bool:
        """Whether this process or a worker has TensorFlow loaded."""
        return any(map(has_tensorflow, team()))

    async def flood(
        self, *, pictures: list[str], megabytes: float, start: int, count: int, guilds: int
    ) -> dict[str, Any]:
        """`count` images at once, each fetched (from its file, in pieces) only when it has been admitted."""
        size = int(megabytes * 1e6)

        async def one(number: int) -> None:
            file = pictures[number % len(pictures)]
            async with self._classifier.admit(size, group=number % guilds) as admission:
                await admission.classify(await _fetch_file(file, start + number))

        with clocked() as sample, peak() as largest:
            await asyncio.gather(*(one(number) for number in range(count)))
        return sample | {"bot_peak_mb": largest[0]}

    async def fetched(self, *, urls: list[str], in_flight: int) -> dict[str, Any]:
        """Images from an HTTP server, downloaded and named: `named` maps each address to its first label."""
        sizes: list[int] = []
        named: dict[str, str] = {}

        async def fetch_and_classify(url: bytes) -> None:
            data = await asyncio.to_thread(_fetch_url, url.decode())
            sizes.append(len(data))
            named[url.decode()] = (await self._classifier.classify(data, top=1)).labels[0].name

        with clocked() as sample:
            sample["latencies_ms"] = await drive(
                fetch_and_classify, iter([url.encode() for url in urls]), in_flight
            )
        return sample | {"bytes": sum(sizes), "named": named}


async def _fetch_file(file: str, number: int) -> bytes:
    """A file as the bot's downloader brings it: chunk by chunk on the loop, into one growing buffer.

    Its number goes into the first chunk; the file is in the system's cache, so reading waits for nothing.
    """
    buffer = bytearray()
    with open(file, "rb") as source:  # noqa: ASYNC230, PTH123  # see above
        buffer += stamp(source.read(CHUNK), number)
        while chunk := source.read(CHUNK):
            buffer += chunk
            await asyncio.sleep(0)
    return bytes(buffer)


def _fetch_url(url: str) -> bytes:
    with urllib.request.urlopen(url) as response:  # noqa: S310  # the benchmark's own server
        body: bytes = response.read()
    return body
