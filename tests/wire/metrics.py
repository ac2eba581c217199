"""Read what a bot serves about itself, as Prometheus and a load balancer do."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.wire.world import PATIENCE

FAKE_MODEL = "tests.inference.fakes:load"
"""A real worker with a model that reads its answer off a picture: for `load_from` in a script."""


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class NotThere(AssertionError):
    """There is no such sample."""


class Samples(dict[tuple[str, frozenset[tuple[str, str]]], float]):
    """What `/metrics` said, by name and labels."""

    @classmethod
    def parse(cls, text: str) -> Samples:
        return cls(
            {
                (sample.name, frozenset(sample.labels.items())): sample.value
                for family in text_string_to_metric_families(text)
                for sample in family.samples
            }
        )

    def of(self, name: str, **labels: str) -> float:
        """The sum of all samples of this name that have these labels. Raises NotThere."""
        found = [
            value for (of, has), value in self.items() if of == name and labels.items() <= dict(has).items()
        ]
        if not found:
            raise NotThere(f"{name} {labels} is not there")
        return sum(found)

    def has(self, name: str, **labels: str) -> bool:
        return any(of == name and labels.items() <= dict(has).items() for of, has in self)


class Endpoint:
    """The metrics of a bot that listens on this port."""

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def env(self) -> dict[str, str]:
        """What makes a bot serve here."""
        return {"WHATSIT_METRICS__LISTEN": str(self.port)}

    async def get(self, path: str) -> tuple[int, str]:
        """The status and the body of an answer."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}{path}") as response,
        ):
            return response.status, await response.text()

    async def samples(self) -> Samples:
        status, text = await self.get("/metrics")
        assert status == 200
        return Samples.parse(text)

    async def ready(self) -> tuple[int, dict[str, Any]]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}/readyz") as response,
        ):
            return response.status, await response.json()

    async def until(self, holds: Callable[[Samples], bool]) -> Samples:
        """Wait until the metrics are so, also for a bot or a sample that is on its way; return them."""
        samples = Samples()
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    with suppress(aiohttp.ClientConnectionError, NotThere):
                        if holds(samples := await self.samples()):
                            return samples
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"the metrics never were so; at last: {samples}") from None
