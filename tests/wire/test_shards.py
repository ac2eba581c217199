"""One process a shard: who has which, who takes over, and that nobody is forgotten or answered twice."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store.shard_locks import lock_class
from tests.postgresql import empty_database
from tests.wire.metrics import FAKE_MODEL, Endpoint, free_port
from tests.wire.sharded import PICTURE, People, Processes
from tests.wire.wire import Wire

pytestmark = pytest.mark.timeout(300)

COMMANDS = r"/applications/\d+/commands"


@pytest.fixture
async def store_url() -> AsyncIterator[str]:
    async with empty_database() as url:
        yield url


@pytest.fixture
async def two_shards(wire: Wire) -> dict[int, str]:
    """A channel of each of two shards, of which Discord begins both at the same time."""
    wire.gateway.shards, wire.gateway.limit.enforced, wire.gateway.limit.max_concurrency = 2, True, 2
    return {number: await wire.join((number, 2)) for number in range(2)}


@pytest.fixture
async def bot(wire: Wire, store_url: str, tmp_path: Path) -> AsyncIterator[Processes]:
    async with Processes.running(wire, store_url, tmp_path) as processes:
        yield processes


def is_sound(wire: Wire) -> bool:
    """Whether no IDENTIFY came too early, and no shard was ever in two processes."""
    return (wire.gateway.limit.breaches, wire.gateway.doubles) == (0, 0)


async def test_a_spare_takes_over_from_a_process_that_is_killed_under_load(
    wire: Wire, two_shards: dict[int, str], bot: Processes
) -> None:
    people = People(wire, two_shards)
    for _ in range(3):
        await bot.start()
    await bot.until_held(2)
    await asyncio.sleep(wire.gateway.limit.seconds)
    with people.watching():
        with people.posting():
            await asyncio.sleep(1)
            killed, at = bot.holder(1), time.monotonic()
            killed.kill()
            await asyncio.sleep(4)
        await people.until_answered()
    print(f"silence of the shard: {people.silence(1, at):.2f} s; longest wait: {max(people.waits(1)):.2f} s")
    assert people.times() == people.owed()
    assert people.silence(1, at) < 30  # `tests.shard_takeover` measures it; here others work too
    assert is_sound(wire)


async def test_a_rolling_restart_loses_nothing_and_answers_nothing_twice(
    wire: Wire, two_shards: dict[int, str], bot: Processes
) -> None:
    people = People(wire, two_shards)
    old = [await bot.start() for _ in range(3)]
    await bot.until_held(2)
    await asyncio.sleep(wire.gateway.limit.seconds)
    with people.watching():
        with people.posting():
            for process in old:
                process.stop()
                assert await process.ended() == 0
                await bot.start()
                await bot.until_held(2)
                await asyncio.sleep(wire.gateway.limit.seconds)
        await people.until_answered()
    print(f"longest wait: {max(people.waits(0) + people.waits(1)):.2f} s")
    assert people.times() == people.owed()
    assert is_sound(wire)


async def test_they_identify_one_after_the_other(
    wire: Wire, two_shards: dict[int, str], bot: Processes
) -> None:
    wire.gateway.limit.max_concurrency = 1
    for _ in range(2):
        await bot.start()
    await bot.until_held(2)
    (first, _), (second, _) = wire.gateway.limit.times
    assert second - first >= wire.gateway.limit.seconds
    assert is_sound(wire)


async def test_commands_and_direct_messages_are_the_first_shards(
    wire: Wire, two_shards: dict[int, str], bot: Processes
) -> None:
    for _ in range(2):
        await bot.start()
    await bot.until_held(2)
    direct = await wire.post_dm(PICTURE)
    here = await wire.post(PICTURE, channel=two_shards[1])
    await wire.world.until(lambda: wire.world.answers(direct["channel_id"]))
    await wire.world.until(lambda: wire.world.answers(here["channel_id"]))
    await wire.world.until(lambda: wire.world.sent("PUT", COMMANDS))
    await asyncio.sleep(0.5)
    assert len(wire.world.sent("PUT", COMMANDS)) == 1
    assert len(wire.world.answers(direct["channel_id"])) == 1
    assert "Commands sent" in bot.holder(0).log


async def test_when_few_sessions_are_left_for_the_day_none_is_begun(
    wire: Wire, two_shards: dict[int, str], bot: Processes
) -> None:
    limit = wire.gateway.limit
    limit.remaining, limit.reset_after = 10, 0.5
    process = await bot.start()
    await wire.world.until(lambda: "would then reset its token" in process.log)
    assert limit.times == []
    limit.remaining = 1000
    await wire.world.until(lambda: wire.gateway.ready)
    assert is_sound(wire)


async def test_all_go_by_the_number_of_shards_that_runs(
    wire: Wire, two_shards: dict[int, str], bot: Processes
) -> None:
    first = await bot.start()
    await wire.world.until(lambda: wire.gateway.ready)
    wire.gateway.shards = 3
    other = await bot.start("5")
    assert await other.ended() == 2
    assert "run 2 shards, and this one was told 5" in other.log
    second = await bot.start()
    await bot.until_held(2)
    assert "Discord recommends 3 shard(s), and 2 run" in second.log
    for process in (first, second):
        process.stop()
        assert await process.ended() == 0
    await bot.start()
    await wire.world.until(lambda: wire.gateway.ready and wire.gateway.ready[0].shard.total == 3)


async def test_alone_and_in_shards_do_not_go_together(wire: Wire, store_url: str, bot: Processes) -> None:
    await bot.start("1")
    await wire.world.until(lambda: wire.gateway.ready)
    alone = await bot.start(arguments=[])
    assert await alone.ended() == 1
    assert "is used by another Whatsit" in alone.log


async def test_a_connection_to_the_store_that_breaks_costs_no_session(
    wire: Wire, two_shards: dict[int, str], bot: Processes, store_url: str
) -> None:
    process = await bot.start()
    await wire.world.until(lambda: wire.gateway.ready)
    await ask(store_url, ALL_ENDED)
    await wire.world.until(lambda: "is held again" in process.log)
    await wire.post(PICTURE, channel=two_shards[0])
    await wire.world.until(lambda: wire.world.answers(two_shards[0]))
    assert len(wire.gateway.sessions) == 1


async def test_a_process_whose_shard_is_taken_leaves_it_and_becomes_a_spare(
    wire: Wire, two_shards: dict[int, str], bot: Processes, store_url: str
) -> None:
    process = await bot.start()
    await wire.world.until(lambda: wire.gateway.ready_shards == {0})
    other = create_async_engine(make_url(store_url).set(drivername="postgresql+asyncpg"))
    shards = lock_class("shards", int(wire.world.application_id))
    async with other.connect() as connection:
        await connection.execute(text(ENDED.format(shards=shards)))
        await connection.execute(text(f"SELECT pg_advisory_lock({shards}, 0), pg_advisory_lock({shards}, 1)"))
        await wire.world.until(lambda: not wire.gateway.ready)
        await wire.world.until(lambda: "waits for one" in process.log)
        assert process.is_alive
        await connection.execute(text("SELECT pg_advisory_unlock_all()"))
    await other.dispose()
    await wire.world.until(lambda: wire.gateway.ready_shards == {0})
    await wire.post(PICTURE, channel=two_shards[0])
    await wire.world.until(lambda: wire.world.answers(two_shards[0]))
    assert is_sound(wire)


ENDED = """SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND classid::bigint = {shards}"""


async def test_health_and_lines_of_the_log_say_which_shard_it_is(
    wire: Wire, two_shards: dict[int, str], bot: Processes
) -> None:
    endpoints = [Endpoint(free_port()) for _ in range(3)]
    for endpoint in endpoints:
        await bot.start(env=endpoint.env | {"WHATSIT_LOG__FORMAT": "json"}, load_from=FAKE_MODEL)
    await bot.until_held(2)
    told = set()
    for endpoint in endpoints:
        await endpoint.until(lambda samples: samples.of("whatsit_ready", check="connected") == 1)
        status, ready = await endpoint.ready()
        _, alive = await endpoint.get("/healthz")
        assert (status, json.loads(alive)["shard"]) == (200, ready["shard"])
        told.add(ready["shard"])
        assert all(("shard", ready["shard"]) in labels for _, labels in await endpoint.samples())
    assert told == {"0", "1", "spare"}
    assert '"shard": 1' in bot.holder(1).log


ALL_ENDED = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database()"""


async def ask(url: str, question: str) -> None:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        await connection.execute(text(question))
    await engine.dispose()
