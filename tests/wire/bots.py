"""The real bot on the stub, with a model that takes as long as a test wants."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from yarl import URL

from bot import run
from bot.client import Whatsit
from bot.composition import compose
from bot.connection import server
from bot.connection.server import Server
from bot.download.downloader import Downloader
from config.settings import Discord, Settings
from inference.results import Classification, Features, Label, ModelInfo
from inference.serving.client import Classifier
from inference.serving.condemned_pictures import CondemnedPictures
from tests.stores import opened_store
from tests.wire.wire import Wire
from tests.wire.world import PATIENCE, TOKEN

__all__ = [
    "LABEL",
    "NOISE",
    "Process",
    "SlowModel",
    "in_place_of_discord",
    "online",
    "process",
    "settings_for",
    "variables_for",
]

LABEL = "military uniform"
API_VERSION = 10


class SlowModel:
    """Says `LABEL` of everything, after `seconds`, and while `gate` (if there is one) is open."""

    def __init__(self, seconds: float = 0.0, gate: asyncio.Event | None = None) -> None:
        self.seconds = seconds
        self.gate = gate
        self.begun = 0
        self.closed = False

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("wire_model", "openvino", 224, 1000, None, "0" * 64, 1)

    def open(self) -> None:
        """Let everything that waits at the gate through."""
        assert self.gate is not None
        self.gate.set()

    async def start(self, report: Callable[[str, float | None], None] | None = None) -> ModelInfo:
        return self.info

    @asynccontextmanager
    async def admit(self, size: int, *, group: Hashable = None) -> AsyncIterator[SlowModel]:
        yield self

    async def classify(
        self,
        data: bytes,
        *,
        top: int = 5,
        group: Hashable = None,
        on_cost: Callable[[float], None] | None = None,
        features: Features | bool = False,
    ) -> Classification:
        self.begun += 1
        await asyncio.sleep(self.seconds)
        if self.gate is not None:
            await self.gate.wait()
        return Classification((Label(LABEL, 1, 0.9),), "wire_model", "openvino", (8, 8), 1, 0.1, 0.1)

    def share_condemned(self, key: bytes) -> CondemnedPictures:
        """Nothing is ever condemned."""
        return CondemnedPictures()

    def forget_group(self, group: Hashable) -> None:
        """Nothing is remembered of anybody."""

    async def close(self) -> None:
        self.closed = True


NOISE = ("Traceback", "Unclosed", "unclosed", "never awaited", "was destroyed", "loop is closed")
"""What no ending of the bot may leave on standard error."""


def settings_for(wire: Wire, **sections: Any) -> Settings:
    """Settings of a bot that takes the stub for what it is: Discord, or a Discord-compatible server."""
    if wire.strict:
        sections["discord"] = Discord(api_url=wire.api_url, gateway_url=wire.gateway_url)
    return Settings(**sections)


@contextmanager
def in_place_of_discord(api: str, gateway: str, files: str) -> Iterator[None]:
    """Let discord.py and the downloader take these addresses for Discord's own."""
    with (
        patch.object(server, "DISCORD", (api, URL(gateway), API_VERSION, files)),
        patch.object(run, "Downloader", partial(Downloader, extra_hosts=(files,))),
    ):
        yield
    server.use(None)


@asynccontextmanager
async def online(
    wire: Wire,
    model: SlowModel | Classifier | None = None,
    *,
    settings: Settings | None = None,
    data: Path | None = None,
    **options: Any,
) -> AsyncIterator[Whatsit]:
    """The bot, logged in and connected; closed at the end. `data`: its store's folder; else it is new."""
    settings = settings or settings_for(wire)
    classifier = cast("Classifier", model or SlowModel())
    place = Server.of(settings.discord)
    if place is not None:
        place = await place.with_files()
    with nullcontext() if wire.strict else in_place_of_discord(*wire.addresses):
        fetcher = run.downloader(settings, classifier, place)
        try:
            async with (
                opened_store(settings, data) as store,
                compose(settings, classifier, fetcher, store, server=place, **options) as bot,
            ):
                connection = asyncio.create_task(bot.start(TOKEN))
                connection.add_done_callback(lambda _: wire.world.changed())
                await wire.world.until(lambda: wire.gateway.ready or connection.done())
                if connection.done():
                    connection.result()
                yield bot
                await bot.close()
                connection.cancel()
                await asyncio.wait({connection})
        finally:
            await fetcher.close()


def variables_for(wire: Wire, data: Path) -> dict[str, str]:
    """The environment of a bot in a process of its own, on its way to the stub."""
    variables = {"DISCORD_TOKEN": TOKEN, "WHATSIT_DATA__DIR": str(data)}
    if wire.strict:
        variables |= {
            "WHATSIT_DISCORD__API_URL": wire.api_url,
            "WHATSIT_DISCORD__GATEWAY_URL": wire.gateway_url,
        }
    return variables


class Process:
    """A bot in a process of its own, at the head of a process group, as a shell starts it.

    `command` is what comes after `python -m`; `env` is over the environment of this process.
    """

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self._command, self._env = command, env
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; it is on its way when this returns."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DISCORD", "WHATSIT"))}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "default::ResourceWarning", "-m", *self._command),
            env=inherited | self._env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def tell(self, number: signal.Signals, *, group: bool = False) -> None:
        """Send it a signal; with `group` its children too, as a terminal does with Ctrl-C."""
        assert self._process is not None
        (os.killpg if group else os.kill)(self._process.pid, number)

    async def end(self, patience: float = PATIENCE) -> tuple[int, str, str]:
        """Its exit code, standard output and standard error, once it has ended; it ends without noise.

        Only then is all that it says read: of one that says more than a pipe holds, wait for the end from the
        beginning.
        """
        assert self._process is not None
        async with asyncio.timeout(patience):
            out, err = await self._process.communicate()
        assert self._process.returncode is not None
        assert not any(noise in err.decode() for noise in NOISE), err.decode()
        return self._process.returncode, out.decode(), err.decode()

    async def read_log(self) -> None:
        """Take what it writes, until it ends, and forget it."""
        assert self._process is not None
        assert self._process.stderr is not None
        while await self._process.stderr.read(1 << 16):
            pass

    async def kill(self) -> None:
        """`kill -9`; nothing if it has ended already."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.communicate()  # `wait` would wait for somebody to read what it has written


@asynccontextmanager
async def process(
    wire: Wire,
    data: Path,
    env: dict[str, str] | None = None,
    *,
    command: list[str] | None = None,
    **script: object,
) -> AsyncIterator[Process]:
    """A bot on its way to the stub, with a model that does what `script` says, or as `command` starts it.

    With a `command` the stub has to be strict: what is Discord, only `tests.wire.process` can be told.
    """
    script["addresses"] = None if wire.strict else wire.addresses
    command = command or ["tests.wire.process", json.dumps(script)]
    running = Process(command, variables_for(wire, data) | (env or {}))
    await running.start()
    try:
        yield running
    finally:
        await running.kill()
