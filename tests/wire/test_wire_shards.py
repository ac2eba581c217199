"""The stub does with shards what Discord does; asked by a client that only knows frames."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import pytest

from tests.wire.shards import ShardOf
from tests.wire.wire import Wire
from tests.wire.world import TOKEN, Payload

INTENTS = 1 << 9 | 1 << 15
INVALID_SESSION = 9


class Client:
    """One connection to the gateway; `frames` are those that came since HELLO."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.frames: list[Payload] = []

    async def identify(self, *shard: int) -> None:
        data: Payload = {"token": TOKEN, "intents": INTENTS} | ({"shard": list(shard)} if shard else {})
        await self.socket.send_json({"op": 2, "d": data})

    async def read(self, until: Callable[[Payload], Any]) -> Payload:
        """Return the first frame for which `until` holds."""
        while True:
            self.frames.append(await self.socket.receive_json(timeout=10))
            if until(self.frames[-1]):
                return self.frames[-1]

    async def close_code(self) -> int | None:
        message = await self.socket.receive(timeout=10)
        assert message.type is aiohttp.WSMsgType.CLOSE
        return cast("int", message.data)

    def told(self, event: str) -> list[Payload]:
        return [frame["d"] for frame in self.frames if frame["t"] == event]


@asynccontextmanager
async def client(wire: Wire, *shard: int) -> AsyncIterator[Client]:
    """A client that has sent its IDENTIFY."""
    async with aiohttp.ClientSession() as session, session.ws_connect(wire.gateway_url) as socket:
        await socket.receive_json()
        one = Client(socket)
        await one.identify(*shard)
        yield one


def is_ready(frame: Payload) -> bool:
    return bool(frame["t"] == "READY")


async def test_each_shard_is_told_of_its_servers_and_the_first_of_direct_messages(wire: Wire) -> None:
    channels = [await wire.join((shard, 3)) for shard in (0, 1, 2) for _ in range(2)]
    mine = [channel for channel in channels if ShardOf(1, 3).has(wire.world.channels[channel]["guild_id"])]
    assert mine == channels[2:4]
    async with client(wire, 0, 3) as first, client(wire, 1, 3) as second:
        ready = (await second.read(is_ready))["d"]
        assert ready["shard"] == [1, 3]
        listed = {guild["id"] for guild in ready["guilds"]}
        assert {wire.world.channels[channel]["guild_id"] for channel in mine} <= listed
        assert all(ShardOf(1, 3).has(guild_id) for guild_id in listed)
        await first.read(is_ready)
        for channel in channels:
            await wire.post(channel=channel)
        direct = await wire.post_dm()
        await wire.post(channel=mine[0], content="the end")
        await second.read(lambda frame: frame["t"] == "MESSAGE_CREATE" and frame["d"]["content"])
        await first.read(lambda frame: frame["t"] == "MESSAGE_CREATE" and "guild_id" not in frame["d"])
    assert [told["channel_id"] for told in second.told("MESSAGE_CREATE")] == [*mine, mine[0]]
    assert [told["channel_id"] for told in first.told("MESSAGE_CREATE")] == [
        *channels[:2],
        direct["channel_id"],
    ]
    created = {guild["id"] for guild in second.told("GUILD_CREATE")}
    assert created == listed


async def test_without_a_shard_everything_is_told(wire: Wire) -> None:
    channels = [await wire.join((shard, 3)) for shard in (0, 1, 2)]
    async with client(wire) as only:
        ready = (await only.read(is_ready))["d"]
        assert "shard" not in ready
        assert len(ready["guilds"]) == 4
        for channel in channels:
            await wire.post(channel=channel)
        await wire.post_dm()
        await only.read(lambda frame: frame["t"] == "MESSAGE_CREATE" and "guild_id" not in frame["d"])
    assert [told["channel_id"] for told in only.told("MESSAGE_CREATE")][:3] == channels


async def test_who_identifies_too_early_in_a_bucket_is_refused_and_counted(wire: Wire) -> None:
    wire.gateway.limit.enforced, wire.gateway.limit.max_concurrency = True, 2
    async with client(wire, 0, 4) as first, client(wire, 1, 4) as other, client(wire, 2, 4) as early:
        await first.read(is_ready)
        await other.read(is_ready)
        refused = await early.read(lambda _: True)
        assert (refused["op"], refused["d"]) == (INVALID_SESSION, False)
        assert wire.gateway.limit.breaches == 1
        assert wire.gateway.ready_shards == {0, 1}


async def test_every_identify_is_counted_down_and_the_token_is_reset_at_the_end(wire: Wire) -> None:
    wire.gateway.limit.enforced, wire.gateway.limit.seconds = True, 0.0
    wire.gateway.limit.remaining = 1
    async with client(wire) as last:
        await last.read(is_ready)
        async with aiohttp.ClientSession(headers={"Authorization": f"Bot {TOKEN}"}) as session:
            async with session.get(f"{wire.api_url}/gateway/bot") as response:
                told = (await response.json())["session_start_limit"]
            assert (told["total"], told["remaining"]) == (1000, 0)
            async with client(wire) as one_more:
                assert await one_more.close_code() == 4004
            assert await one_closed(last) == 4004
            async with session.get(f"{wire.api_url}/gateway/bot") as response:
                assert response.status == 401


async def one_closed(one: Client) -> int | None:
    while (message := await one.socket.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT:
        pass
    return cast("int", message.data)


@pytest.mark.parametrize("shard", [(2, 2), (-1, 2)])
async def test_a_shard_that_cannot_be_is_refused(wire: Wire, shard: tuple[int, int]) -> None:
    async with client(wire, *shard) as one:
        assert await one.close_code() == 4010


async def test_too_many_servers_for_a_shard_are_refused(wire: Wire) -> None:
    wire.gateway.guilds_per_shard = 2
    for shard in (0, 1, 1, 0):
        await wire.join((shard, 2))
    async with client(wire) as alone:
        assert await alone.close_code() == 4011


async def test_two_sessions_of_one_shard_at_once_are_counted(wire: Wire) -> None:
    async with client(wire, 0, 2) as one, client(wire, 1, 2) as other, client(wire, 1, 2) as double:
        for each in (one, other, double):
            await each.read(is_ready)
        assert wire.gateway.doubles == 1


async def test_all_requests_together_are_held_to_a_limit_but_those_of_interactions(wire: Wire) -> None:
    pace = wire.world.pace_globally(2, 60.0)
    headers = {"Authorization": f"Bot {TOKEN}"}
    async with aiohttp.ClientSession(headers=headers) as one, aiohttp.ClientSession(headers=headers) as two:
        statuses = []
        for session, path in ((one, "/users/@me"), (two, "/gateway"), (two, "/users/@me")):
            async with session.get(wire.api_url + path) as response:
                statuses.append(response.status)
                body = await response.json()
        assert statuses == [200, 200, 429]
        assert body["global"] is True
        assert response.headers["X-RateLimit-Global"] == "true"
        async with two.post(f"{wire.api_url}/interactions/1/none/callback", json={"type": 5}) as response:
            assert response.status == 404
    assert pace.refused == 1


@pytest.mark.timeout(60)
async def test_thousands_of_servers_are_told_of(wire: Wire) -> None:
    for _ in range(5000):
        wire.world.add_guild((0, 2))
    wire.gateway.guilds_per_shard = 10_000
    async with client(wire, 0, 2) as one:
        ready = (await one.read(is_ready))["d"]
        assert len(ready["guilds"]) >= 5000
        created = 0
        while created < len(ready["guilds"]):
            created += (await one.socket.receive_json(timeout=10))["t"] == "GUILD_CREATE"
