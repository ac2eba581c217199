"""Bring a process to one of the bot's shards, and to its turn to begin a session there.

discord.py knows neither `max_concurrency` nor that a bot has 1,000 IDENTIFYs a day, after which Discord
resets its token. Both are told by `GET /gateway/bot`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, NamedTuple

import aiohttp
import discord
import discord.client
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route

from bot.connection import server
from bot.store.identify_turns import IdentifyTurns
from bot.store.shard import Shard
from bot.store.shard_locks import ShardLocks

log = logging.getLogger(__name__)

FEW = 20
"""IDENTIFYs that are left for the day when no more are sent: more processes than may identify at once could
have asked at the same time."""
LOOK_AGAIN = 60.0
"""Seconds between two looks whether there are more again."""


class SessionStarts(NamedTuple):
    """What Discord says of shards, and of the IDENTIFYs that are left for `reset_after` seconds."""

    shards: int
    remaining: int
    reset_after: float
    max_concurrency: int


class Shards:
    """The shard of this process, from `take` on; and its turns to identify.

    `told` is the number of shards that the owner wants; None is as many as Discord recommends.
    """

    def __init__(self, locks: ShardLocks, told: int | None) -> None:
        self._locks = locks
        self._told = told
        self._turns = IdentifyTurns(locks)
        self._http: HTTPClient | None = None
        self._starts: SessionStarts | None = None

    @property
    def shard(self) -> Shard | None:
        """The shard that this process has now; None while it is a spare."""
        return self._locks.shard

    @property
    def lost(self) -> asyncio.Event:
        """Set once the shard may be another process's."""
        return self._locks.lost

    async def take(self, http: HTTPClient, application_id: int) -> Shard:
        """Wait for a shard that nobody has.

        Raises `ShardCountDiffers`, a `StoreError` or `TimeoutError`, or what discord.py does.
        """
        self._http = http
        starts = await self._ask(http)
        total = await self._locks.agree(application_id, starts.shards, self._told)
        if total != starts.shards:
            log.warning(
                "Discord recommends %d shard(s), and %d run. That stands until all processes of the bot have "
                "been stopped, and are started again.",
                starts.shards,
                total,
            )
        shard = await self._locks.take()
        log.info("This process has shard %d of %d.", shard.number, shard.total)
        return shard

    async def wait_for_turn(self) -> None:
        """Wait until this process may identify: others do so before it, or few times are left for today."""
        starts = await self._enough_starts()
        shard = self._locks.shard
        await self._turns.wait((0 if shard is None else shard.number) % starts.max_concurrency)

    async def identifying(self) -> None:
        """Note that an IDENTIFY is about to be sent."""
        await self._turns.use()

    async def end_turn(self) -> None:
        """Let the next process identify."""
        await self._turns.end()

    async def close(self) -> None:
        """Give the shard up: a spare has it a moment later."""
        await self._locks.close()

    async def _enough_starts(self) -> SessionStarts:
        """Ask until more than a `FEW` are left."""
        if self._http is None:
            raise RuntimeError("a turn is for a process that has a shard")
        while True:
            try:
                starts = await self._ask(self._http)
            except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                if self._starts is None:
                    raise
                log.warning("Discord did not say how often the bot may identify: %s", error)
                return self._starts
            if starts.remaining > FEW:
                return starts
            log.warning(
                "Discord takes only %d more sessions of this bot in the next %.0f minutes, and would then "
                "reset its token. No new one is begun until then. Something has reconnected very often: the "
                "log may say what.",
                starts.remaining,
                starts.reset_after / 60,
            )
            await asyncio.sleep(min(starts.reset_after, LOOK_AGAIN))

    async def _ask(self, http: HTTPClient) -> SessionStarts:
        route = Route("GET", "/gateway/bot")
        route.url = server.own_url(route.path)  # a proxy may answer with what was true half an hour ago
        told: Any = await http.request(route)
        limit = told["session_start_limit"]
        self._starts = SessionStarts(
            told["shards"], limit["remaining"], limit["reset_after"] / 1000, max(1, limit["max_concurrency"])
        )
        return self._starts


class TurnTakingWebSocket(DiscordWebSocket):
    """Waits for its turn before it connects, for a connection that says nothing for long is closed."""

    shards: Shards

    @classmethod
    async def from_client(cls, client: discord.Client, *, resume: bool = False, **options: Any) -> Any:
        """Connect, as discord.py does."""
        if resume:
            return await super().from_client(client, resume=True, **options)
        try:
            await cls.shards.wait_for_turn()
            return await super().from_client(client, **options)
        finally:
            await cls.shards.end_turn()


def take_turns(shards: Shards) -> None:
    """Have discord.py begin sessions only when it is this process's turn, for the whole process."""
    TurnTakingWebSocket.shards = shards
    discord.client.DiscordWebSocket = TurnTakingWebSocket  # type: ignore[misc] # the one that `connect` uses
