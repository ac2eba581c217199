"""Two processes of one bot, each with a shard, on one PostgreSQL: what one is told holds for both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.postgresql import empty_database
from tests.wire.sharded import PICTURE, Processes
from tests.wire.wire import Wire
from tests.wire.world import Interaction, Payload, new_user

pytestmark = pytest.mark.timeout(120)

HEARD_WITHIN = 1.0
TABLES = ("open_message", "answer", "member_preference")


@pytest.fixture
async def store_url() -> AsyncIterator[str]:
    async with empty_database() as url:
        yield url


@pytest.fixture
async def bot(wire: Wire, store_url: str, tmp_path: Path) -> AsyncIterator[Processes]:
    async with Processes.running(wire, store_url, tmp_path) as processes:
        yield processes


async def rows_of(store_url: str, person: Payload) -> dict[str, int]:
    """How many rows each table holds of somebody."""
    engine = create_async_engine(make_url(store_url).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        count = "SELECT count(*) FROM {} WHERE user_id = :user"
        found = {
            table: await connection.scalar(text(count.format(table)), {"user": int(person["id"])})
            for table in TABLES
        }
    await engine.dispose()
    return found


def is_answered(wire: Wire, message: Payload) -> bool:
    return wire.world.answered(message["channel_id"])[message["id"]] > 0


def says(wire: Wire, interaction: Interaction, words: str) -> bool:
    stand = wire.world.messages[interaction.channel_id]
    return words in json.dumps([stand[each] for each in interaction.message_ids])


async def start_two_shards(wire: Wire, bot: Processes, *, seconds: float = 0.02) -> dict[int, str]:
    """A channel of each shard; each shard has a process, whose model takes so many seconds for a picture."""
    wire.gateway.shards, wire.gateway.limit.max_concurrency = 2, 2
    channels = {number: await wire.join((number, 2)) for number in range(2)}
    for _ in range(2):
        await bot.start(seconds=seconds)
    await bot.until_held(2)
    return channels


async def test_leave_my_pictures_alone_said_to_one_process_is_heard_by_the_other(
    wire: Wire, bot: Processes
) -> None:
    world, other = wire.world, new_user("Grace")
    channels = await start_two_shards(wire, bot)
    first = await wire.post(PICTURE, channel=channels[1])
    await world.until(partial(is_answered, wire, first))  # shard 1 remembers the preferences now
    said = await wire.slash("preferences", where="dm", leave_alone=True)  # direct messages are shard 0's
    await world.until(lambda: said.message_ids)
    await asyncio.sleep(HEARD_WITHIN)
    unwanted = await wire.post(PICTURE, channel=channels[1])
    wanted = await wire.post(PICTURE, channel=channels[1], author=other)
    await world.until(partial(is_answered, wire, wanted))
    assert not is_answered(wire, unwanted)


async def test_whoever_is_forgotten_by_one_process_is_gone_from_the_work_of_the_other(
    wire: Wire, bot: Processes, store_url: str
) -> None:
    world = wire.world
    channels = await start_two_shards(wire, bot, seconds=5.0)
    asked_on = (int(world.guild_id) >> 22) % 2
    in_work = await wire.post(PICTURE, channel=channels[1 - asked_on])
    while not (await rows_of(store_url, world.person))["open_message"]:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.05)
    question = wire.interaction("privacy")
    question.payload["data"]["options"] = [{"name": "delete", "type": 1, "options": []}]
    await wire.gateway.emit("INTERACTION_CREATE", question.payload)
    await world.until(partial(says, wire, question, "Forget everything about you?"))
    asked = world.messages[question.channel_id][question.message_ids[0]]
    pressed = await wire.press("whatsit:privacy:forget:keep", asked)
    pressed.message_ids.extend(question.message_ids)
    await world.until(partial(says, wire, question, "I've forgotten everything I knew about you."))
    await asyncio.sleep(5.0)
    assert not is_answered(wire, in_work)
    assert await rows_of(store_url, world.person) == dict.fromkeys(TABLES, 0)


async def test_a_new_session_of_one_shard_takes_nothing_from_the_other(
    wire: Wire, bot: Processes, store_url: str
) -> None:
    """A new session of one shard takes away neither the servers nor the open work of the other."""
    world = wire.world
    channels = await start_two_shards(wire, bot, seconds=1.0)
    before = [await wire.post(PICTURE, channel=channel) for channel in channels.values()]
    holder = bot.holder(0)
    holder.kill()
    await bot.start(seconds=1.0)  # it takes shard 0, and erases what it does not know
    await bot.until_held(2)
    for message in before:
        await world.until(partial(is_answered, wire, message))
    await asyncio.sleep(1.5)
    assert [world.answered(message["channel_id"])[message["id"]] for message in before] == [1, 1]


async def test_a_process_that_is_told_to_share_its_store_takes_a_shard_or_waits_for_one(
    wire: Wire, bot: Processes
) -> None:
    shared = {"WHATSIT_STORE__SHARED": "true"}
    await bot.start(arguments=[], env=shared)
    await bot.until_held(1)
    await bot.start(arguments=[], env=shared)  # without a shard it would answer everything again
    await wire.world.until(bot.spares)
