"""Several processes of one bot on the stub and on one PostgreSQL, and people who post on all shards."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from tests.wire.forks import Fork, forked
from tests.wire.wire import Wire
from tests.wire.world import Payload

__all__ = ["People", "Processes"]

PICTURE = ("cat.png", b"\x89PNG and so on")
ENOUGH = {"WHATSIT_LIMITS__USER_BURST": "10000", "WHATSIT_LIMITS__USER_IMAGES_PER_MINUTE": "10000"}


class Processes:
    """The processes of a bot. `shards` is what `--shards` is given."""

    def __init__(self, wire: Wire, store_url: str, folder: Path, stack: AsyncExitStack) -> None:
        """Use `running`."""
        self._wire = wire
        self._env = {"WHATSIT_STORE__URL": store_url, **ENOUGH}
        self._folder = folder
        self._stack = stack
        self._numbers = itertools.count()
        self.all: list[Fork] = []

    @classmethod
    @asynccontextmanager
    async def running(cls, wire: Wire, store_url: str, folder: Path) -> AsyncIterator[Processes]:
        """None at first; all are gone at the end."""
        async with AsyncExitStack() as stack:
            yield cls(wire, store_url, folder, stack)

    async def start(self, shards: str = "auto", *, env: dict[str, str] | None = None, **script: Any) -> Fork:
        """One more."""
        data = self._folder / f"process {next(self._numbers)}"
        data.mkdir()
        script = {"seconds": 0.02, "arguments": ["--shards", shards], **script}
        process = await self._stack.enter_async_context(
            forked(self._wire, data, self._env | (env or {}), **script)
        )
        self.all.append(process)
        return process

    async def until_held(self, total: int) -> None:
        """Wait until every shard is connected, and all others are spares."""

        def are_held() -> bool:
            # Who lives is asked each time: a process that was killed just now still counts for a moment.
            alive = len([process for process in self.all if process.is_alive])
            ready = self._wire.gateway.ready_shards
            return ready == set(range(total)) and len(self.spares()) >= alive - total

        try:
            await self._wire.world.until(are_held)
        except AssertionError:
            logs = "\n\n".join(process.log for process in self.all)
            raise AssertionError(f"the shards were not held; the logs:\n{logs}") from None

    def holder(self, number: int) -> Fork:
        """The process that has a shard now."""
        (found,) = [process for process in self.all if process.is_alive and has(process) == number]
        return found

    def spares(self) -> list[Fork]:
        return [process for process in self.all if process.is_alive and is_spare(process)]


def has(process: Fork) -> int | None:
    """The shard that a process has taken last."""
    taken = re.findall(r"This process has shard (\d+) of", process.log)
    return int(taken[-1]) if taken else None


def is_spare(process: Fork) -> bool:
    """Whether a process waits for a shard, and has had none yet."""
    return "waits for one" in process.log and has(process) is None


class People:
    """Those who post pictures in some channels all the time, and see when each is answered."""

    def __init__(self, wire: Wire, channels: dict[int, str], every: float = 0.3) -> None:
        """`channels`: one of each shard; `every`: seconds between two pictures in each.

        Of a channel, the last 100 messages are caught up with, answers included: post no faster than that.
        """
        self._wire = wire
        self.channels = channels
        self._every = every
        self.posted: dict[int, dict[str, float]] = {shard: {} for shard in channels}
        self.answered: dict[str, float] = {}

    @contextmanager
    def posting(self) -> Iterator[None]:
        """Post until the block is left."""
        tasks = [asyncio.create_task(self._post(shard)) for shard in self.channels]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note when each picture is answered, to a hundredth of a second."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()

    async def until_answered(self, patience: float = 30.0) -> None:
        """Wait until each picture has an answer, and then for one too many."""
        await self._wire.world.until(
            lambda: all(id_ in self.answered for posted in self.posted.values() for id_ in posted),
            patience=patience,
        )
        await asyncio.sleep(0.5)

    def times(self) -> dict[str, int]:
        """How often each picture was answered."""
        return {
            message_id: times
            for channel in self.channels.values()
            for message_id, times in self._wire.world.answered(channel).items()
        }

    def owed(self) -> dict[str, int]:
        """How often each should have been."""
        return {message_id: 1 for posted in self.posted.values() for message_id in posted}

    def waits(self, shard: int) -> list[float]:
        """How many seconds each picture of a shard waited for its answer."""
        return [self.answered[message_id] - at for message_id, at in self.posted[shard].items()]

    def silence(self, shard: int, since: float) -> float:
        """The longest time after `since` in which nothing was answered on a shard, in seconds."""
        moments = sorted(self.answered[message_id] for message_id in self.posted[shard])
        moments = [since, *(moment for moment in moments if moment > since)]
        return max((later - earlier for earlier, later in itertools.pairwise(moments)), default=0.0)

    async def _post(self, shard: int) -> None:
        while True:
            at = time.monotonic()
            message: Payload = await self._wire.post(PICTURE, channel=self.channels[shard])
            self.posted[shard][message["id"]] = at
            await asyncio.sleep(self._every)

    async def _watch(self) -> None:
        while True:
            now = time.monotonic()
            for channel in self.channels.values():
                for message_id in self._wire.world.answered(channel):
                    self.answered.setdefault(message_id, now)
            self._wire.world.changed()
            await asyncio.sleep(0.01)
