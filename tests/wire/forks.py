"""Bots in processes that are forked from one that has imported everything: 30 ms instead of a second each."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.wire import process
from tests.wire.bots import variables_for
from tests.wire.wire import Wire
from tests.wire.world import PATIENCE

__all__ = ["Fork", "forked"]

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.wire.forks"])


class Fork:
    """A bot that may be killed between any two of its steps."""

    def __init__(self, env: dict[str, str], log: Path, script: dict[str, Any]) -> None:
        self._process = _context.Process(target=_live, args=(env, log, script))
        self._log = log

    def start(self) -> None:
        """Start it; it is on its way when this returns."""
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def kill(self) -> None:
        """`kill -9`; nothing if it has ended: its number may be another process's by now."""
        if self.is_alive:
            self._process.kill()

    def stop(self) -> None:
        """SIGTERM, as a service manager sends it."""
        if self.is_alive:
            self._process.terminate()

    async def ended(self, patience: float = PATIENCE) -> int:
        """Its exit code, once it has ended by itself."""
        await asyncio.to_thread(self._process.join, patience)
        assert self._process.exitcode is not None
        return self._process.exitcode

    @property
    def log(self) -> str:
        """What it has written to its log so far."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    async def end(self) -> None:
        """Kill it, and wait until its end."""
        self.kill()
        await asyncio.to_thread(self._process.join)
        self._process.close()


@asynccontextmanager
async def forked(wire: Wire, data: Path, env: dict[str, str], **script: Any) -> AsyncIterator[Fork]:
    """A bot on its way to the stub, as `tests.wire.bots.process`; its log is in `data`."""
    addresses = None if wire.strict else wire.addresses
    bot = Fork(variables_for(wire, data) | env, data / "log.txt", {**script, "addresses": addresses})
    await asyncio.to_thread(bot.start)
    try:
        yield bot
    finally:
        await bot.end()


def _live(env: dict[str, str], log: Path, script: dict[str, Any]) -> None:
    for name in [name for name in os.environ if name.startswith(("DISCORD", "WHATSIT"))]:
        del os.environ[name]
    os.environ.update(env)
    with log.open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    sys.exit(process.main(script))
