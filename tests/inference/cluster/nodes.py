"""Real nodes, each a process of its own on a port of this machine, and a bot's classifier that asks them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import psutil

from config.settings import Settings
from inference.serving.client import Classifier

SLOW_START = 60.0
"""Seconds for a node on a busy machine to have its fake model."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Node:
    """A node that can be killed, and started again at the same address."""

    def __init__(
        self, load: str = "tests.inference.fakes:load", *, secret: Path | None = None, **settings: Any
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.load = load
        cluster = {"listen": f"127.0.0.1:{self.port}"} | ({"secret_file": str(secret)} if secret else {})
        self.settings = {"cluster": cluster} | settings
        self.process: asyncio.subprocess.Process | None = None
        self.said = b""

    async def start(self) -> None:
        """Start it and wait until it can answer."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.inference.cluster.plain_node",
            json.dumps(self.settings),
            self.load,
            stderr=asyncio.subprocess.PIPE,
            limit=1 << 20,
        )
        async with aiohttp.ClientSession() as session, asyncio.timeout(SLOW_START):
            while not await self._is_ready(session):
                if self.process.returncode is not None:
                    raise RuntimeError((await self.log()).decode())
                await asyncio.sleep(0.02)

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/healthz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    def send(self, number: signal.Signals) -> None:
        assert self.process
        os.kill(self.process.pid, number)

    async def kill(self) -> None:
        """kill -9, as a crash does; its worker sees its pipe close."""
        self.send(signal.SIGKILL)
        await self.ended()

    async def stop(self) -> int:
        """Stop it in order, and return its exit code."""
        self.send(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        assert self.process
        async with asyncio.timeout(SLOW_START):
            await self.log()
            return await self.process.wait()

    async def log(self) -> bytes:
        """All that it said; waits until it is gone."""
        assert self.process
        assert self.process.stderr
        self.said += await self.process.stderr.read()
        return self.said

    @property
    def workers(self) -> list[psutil.Process]:
        assert self.process
        return psutil.Process(self.process.pid).children()

    async def state(self) -> dict[str, Any]:
        """What it says of itself."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/v1/state") as response:
            state: dict[str, Any] = await response.json()
            return state

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process and self.process.returncode is None:
            self.send(signal.SIGKILL)
            await self.ended()


@asynccontextmanager
async def nodes(
    count: int, load: str = "tests.inference.fakes:load", **settings: Any
) -> AsyncIterator[list[Node]]:
    """So many nodes that can answer."""
    found = [Node(load, **settings) for _ in range(count)]
    try:
        await asyncio.gather(*(node.start() for node in found))
        yield found
    finally:
        for node in found:
            if node.process and node.process.returncode is None:
                node.send(signal.SIGKILL)
                await node.ended()


def asking(urls: Sequence[str], **sections: Any) -> Settings:
    """The settings of a bot that asks these nodes."""
    cluster = {"urls": list(urls), "start_timeout": SLOW_START} | sections.pop("cluster", {})
    return Settings.model_validate({"inference": {"backend": "cluster"}, "cluster": cluster} | sections)


@asynccontextmanager
async def bots_classifier(urls: Sequence[str], **sections: Any) -> AsyncIterator[Classifier]:
    """The classifier of a bot that asks these nodes, started and in the end closed."""
    classifier = Classifier(asking(urls, **sections))
    try:
        await classifier.start()
        yield classifier
    finally:
        await classifier.close()


@asynccontextmanager
async def asked_nodes(
    count: int, *, load: str = "tests.inference.fakes:load", **settings: Any
) -> AsyncIterator[tuple[list[Node], Classifier]]:
    """So many nodes with these settings, and the patient classifier of a bot that asks them."""
    async with (
        nodes(count, load, **settings) as found,
        bots_classifier([node.url for node in found], queue={"timeout": 100}) as classifier,
    ):
        yield found, classifier
