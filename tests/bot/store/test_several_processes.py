"""Several processes on one PostgreSQL: each hears what another changes, and touches only what is its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store import Store, StoreOfAnotherBot
from bot.store.change_listener import ChangeListener
from bot.store.indexed_images import NewImage
from bot.store.quota_uses import QuotaTime
from bot.store.shard import WHOLE, Shard
from bot.store.taught_results import NewExample
from config.settings import ConfigError
from tests.bot.store.conftest import Clock, Place

HEARD_WITHIN = 1.0
MEMBER = 77
FIRST, SECOND = 1 << 22, 2 << 22  # servers of shard 1 and of shard 0, of two
LISTENERS = (
    "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%LISTEN%'"
    " AND pid <> pg_backend_pid()"
)
NOW = discord.utils.time_snowflake(Clock.time)


@pytest.fixture
def shared_place(postgresql_place: Place) -> Place:
    postgresql_place.store = postgresql_place.store.model_copy(update={"shared": True})
    return postgresql_place


@asynccontextmanager
async def two_stores(place: Place) -> AsyncIterator[tuple[Store, Store]]:
    async with place.opened() as one, place.opened() as other:
        yield one, other


@pytest.fixture
async def stores(shared_place: Place) -> AsyncIterator[tuple[Store, Store]]:
    async with two_stores(shared_place) as both:
        yield both


async def becomes(read: Callable[[], Awaitable[Any]], wanted: object) -> None:
    """Wait until `read` gives what is wanted, no longer than a change may take to be heard."""
    async with asyncio.timeout(HEARD_WITHIN):
        while await read() != wanted:  # noqa: ASYNC110 - nothing tells us when
            await asyncio.sleep(0.01)


async def left_alone(store: Store) -> bool:
    return (await store.members.get(MEMBER)).leave_alone


@asynccontextmanager
async def deaf_processes(place: Place) -> AsyncIterator[None]:
    """Cut the connections on which processes listen, and let nobody make a new one; the others go on."""
    url = place.location.url
    admin = create_async_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    allow = f"ALTER DATABASE {url.database} WITH ALLOW_CONNECTIONS"
    async with admin.connect() as connection:
        await connection.execute(text(f"{allow} false"))
        try:
            of_database = LISTENERS.replace("current_database()", f"'{url.database}'")
            await connection.execute(text(f"SELECT pg_terminate_backend(pid) {of_database}"))
            yield
        finally:
            await connection.execute(text(f"{allow} true"))
    await admin.dispose()


async def test_leave_my_pictures_alone_said_to_one_is_heard_by_the_other(stores: tuple[Store, Store]) -> None:
    one, other = stores
    assert not await left_alone(other)  # it is in its memory now
    await one.members.update(MEMBER, {"leave_alone": True})
    await becomes(lambda: left_alone(other), True)
    await other.members.reset(MEMBER)
    await becomes(lambda: left_alone(one), False)


async def test_the_settings_of_a_server_changed_by_one_hold_for_the_other(
    stores: tuple[Store, Store],
) -> None:
    one, other = stores
    assert (await other.guilds.get(FIRST)).top == 3
    await one.guilds.update(FIRST, {"top": 7})

    async def top() -> int:
        return (await other.guilds.get(FIRST)).top

    await becomes(top, 7)
    await one.guilds.erase(FIRST)
    await becomes(top, 3)


async def test_two_changes_at_once_by_two_processes_lose_neither(stores: tuple[Store, Store]) -> None:
    one, other = stores
    await asyncio.gather(*(store.guilds.get(FIRST) for store in stores))
    await one.guilds.update(FIRST, lambda now: {"channels": (*now.channels, 5)})
    # The other has not heard of it yet, and adds to what is really there.
    after = await other.guilds.update(FIRST, lambda now: {"channels": (*now.channels, 6)})
    assert after.channels == (5, 6)

    async def channels() -> tuple[int, ...]:
        return (await one.guilds.get(FIRST)).channels

    await becomes(channels, (5, 6))


async def test_words_taught_to_one_are_known_to_the_other(stores: tuple[Store, Store]) -> None:
    one, other = stores
    changed: list[int] = []
    other.teaching.on_change = changed.append
    assert await other.teaching.names(FIRST) == {}
    lesson = await one.teaching.teach(FIRST, "Fluffy", "kind", [NewExample(b"fingerprint")])
    await becomes(lambda: other.teaching.names(FIRST), {lesson.label: "Fluffy"})
    assert changed == [FIRST]


async def test_pictures_that_one_takes_out_leave_the_others_memory(stores: tuple[Store, Store]) -> None:
    one, other = stores
    gone, own = asyncio.Queue[int](), list[int]()
    other.images.on_change, one.images.on_change = gone.put_nowait, own.append
    lesson = [NewExample(b"fingerprint", user_id=MEMBER)]
    await one.teaching.teach(FIRST, "Fluffy", "kind", lesson)
    image = NewImage(9, 0, FIRST, 2, 2, 2, MEMBER, "kind", b"fingerprint", None)
    await one.images.add([image])
    await one.erase_user(MEMBER)
    async with asyncio.timeout(HEARD_WITHIN):
        assert await gone.get() == FIRST
    assert own == [FIRST]


async def test_while_changes_cannot_be_heard_nothing_is_kept_in_memory(
    stores: tuple[Store, Store], shared_place: Place
) -> None:
    one, other = stores
    assert not await left_alone(other)
    async with deaf_processes(shared_place):

        async def heard() -> bool:
            return other.changes.is_heard

        await becomes(heard, False)
        await one.members.update(MEMBER, {"leave_alone": True})
        assert await left_alone(other)  # read at once: there is no old copy
        await one.members.update(MEMBER, {"leave_alone": False})
        assert not await left_alone(other)
    async with asyncio.timeout(10):
        while not (one.changes.is_heard and other.changes.is_heard):  # noqa: ASYNC110 - nothing tells us when
            await asyncio.sleep(0.05)
    await one.members.update(MEMBER, {"leave_alone": True})
    await becomes(lambda: left_alone(other), True)


async def test_a_connection_that_is_silent_is_noticed_though_nothing_ends_it(
    shared_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that is cut says nothing: neither changes come, nor the end of the connection."""
    monkeypatch.setattr("bot.store.change_listener.PROVE_EVERY", 0.05)
    monkeypatch.setattr("bot.store.change_listener.PROVE_WITHIN", 0.2)
    async with shared_place.opened() as store:
        assert isinstance(store.changes, ChangeListener)
        gaps: list[bool] = []
        store.changes.on_gap(lambda: gaps.append(store.changes.is_heard))
        driver = await store.changes._driver()
        busy = asyncio.create_task(driver.execute("SELECT pg_sleep(30)"))  # it answers nobody else meanwhile
        async with asyncio.timeout(10):
            while gaps != [False, True]:  # noqa: ASYNC110 - nothing tells us when
                await asyncio.sleep(0.05)
        await asyncio.wait([busy])


async def test_a_store_that_is_not_shared_listens_to_nobody(place: Place) -> None:
    async with place.opened(alone=True) as store:
        assert store.changes.is_heard
        assert not store.changes.is_shared
        if place.location.file is None:
            assert await place.rows(f"SELECT count(*) {LISTENERS}") == [(0,)]


async def test_a_sqlite_file_cannot_be_shared(sqlite_place: Place) -> None:
    sqlite_place.store = sqlite_place.store.model_copy(update={"shared": True})
    with pytest.raises(ConfigError, match=r"store\.shared is for a PostgreSQL.*whatsit store move"):
        async with sqlite_place.opened():
            pass


# Each its own servers.


def test_a_shard_has_the_servers_that_discord_gives_it() -> None:
    assert [Shard(1, 2).has(guild_id) for guild_id in (FIRST, SECOND, None)] == [True, False, False]
    assert [Shard(0, 2).has(guild_id) for guild_id in (FIRST, SECOND, None)] == [False, True, True]
    assert all(WHOLE.has(guild_id) for guild_id in (FIRST, SECOND, None))


async def leave_open(store: Store, guild_id: int | None, number: int) -> None:
    where: Any = {"channel_id": number, "guild_id": guild_id, "user_id": MEMBER}
    await store.work.accept_message(message_id=number, **where)
    await store.work.accept_interaction(
        interaction_id=number,
        application_id=1,
        token="t",  # noqa: S106 - none
        images=[],
        options={},
        **where,
    )
    await store.answers.add(source_ids=[number], answer_id=NOW + number, **where)
    if guild_id is not None:
        store.seen.saw(guild_id, number, number)
        await store.seen.flush()
        await store.departures.note(guild_id)
        await store.guilds.update(guild_id, {"top": 5})
        await store.notes.take_greeting(guild_id)
        await store.backfills.begin(
            channel_id=number, guild_id=guild_id, before_id=1, messages=0, images=0,
            progress_channel_id=1, progress_message_id=1, language="en",
        )  # fmt: skip


KINDS = ("messages", "interactions", "answers", "departures", "guilds", "backfills")


async def seen_by(store: Store) -> dict[str, set[int | None]]:
    """The servers of which a process sees anything, by what it is."""
    return {
        "messages": {row.guild_id for row in await store.work.messages_since(Clock.time)},
        "interactions": {row.guild_id for row in await store.work.interactions()},
        "answers": {row.guild_id for row in await store.answers.since(0)},
        "departures": {*await store.departures.all()},
        "guilds": {*await store.guild_ids()},
        "backfills": {row.guild_id for row in await store.backfills.running()},
    }


async def test_each_process_sees_the_open_work_of_its_own_shard_and_direct_messages_are_shard_0s(
    stores: tuple[Store, Store],
) -> None:
    one, other = stores
    for number, guild_id in enumerate((FIRST, SECOND, None), 1):
        await leave_open(one, guild_id, number)
    await one.take_shard(Shard(0, 2))
    await other.take_shard(Shard(1, 2))
    direct = {"messages", "interactions", "answers"}
    assert await seen_by(other) == {what: {FIRST} for what in KINDS}
    assert await seen_by(one) == {what: {SECOND, *([None] if what in direct else [])} for what in KINDS}


async def test_a_process_that_starts_or_takes_a_shard_clears_only_what_is_its_own(
    shared_place: Place,
) -> None:
    async with shared_place.opened() as one:
        await leave_open(one, FIRST, 1)
        await leave_open(one, SECOND, 2)
        shared_place.clock.advance(minutes=16)  # the tokens do not hold any more
        count = "SELECT interaction_id FROM open_interaction"
        async with one._database.only_one("purge") as chosen, shared_place.opened() as other:
            assert chosen
            assert len(await shared_place.rows(count)) == 2  # it did not even look: the first one is at it
            await other.take_shard(Shard(1, 2))
            assert await shared_place.rows(count) == [(2,)]
            assert await other.purge() == 0
        await one.purge()  # that is for all shards: some may be nobody's now
        assert await shared_place.rows(count) == []


async def test_what_was_in_memory_is_read_anew_for_a_shard_that_another_process_had(
    stores: tuple[Store, Store],
) -> None:
    one, _ = stores
    dropped: list[None] = []
    one.changes.on_gap(lambda: dropped.append(None))
    await one.take_shard(Shard(1, 2))
    assert dropped == [None]


# What is done by one, and what is added up.


async def test_one_process_at_a_time_purges(stores: tuple[Store, Store]) -> None:
    one, other = stores
    async with one._database.only_one("purge") as first, other._database.only_one("purge") as second:
        assert (first, second) == (True, False)
    async with other._database.only_one("purge") as later:
        assert later


async def test_a_purge_that_fails_leaves_the_next_to_others(stores: tuple[Store, Store]) -> None:
    one, other = stores
    with pytest.raises(RuntimeError, match="the light went out"):
        async with one._database.only_one("purge"):
            raise RuntimeError("the light went out")
    async with other._database.only_one("purge") as chosen:
        assert chosen


async def test_daily_sums_of_two_processes_are_added_up(stores: tuple[Store, Store]) -> None:
    one, other = stores
    for store in stores:
        store.sums.add(FIRST, ["sure", "sure"], ["tabby"])
    await asyncio.gather(*(store.sums.flush() for store in stores))
    assert (await one.sums.of(FIRST, 1)).names == {"tabby": 2}
    assert (await other.sums.of(FIRST, 1)).total == 4


async def test_names_that_one_counts_while_the_other_adds_the_rare_ones_up_are_not_lost(
    shared_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.daily_sums.NAMES_A_DAY", 1)
    async with two_stores(shared_place) as (one, other):
        one.sums.add(FIRST, ["sure"] * 4, ["tabby", "tabby", "lynx", "cup"])
        await one.sums.flush()
        other.sums.add(FIRST, ["sure"] * 3, ["lynx", "cup", "cup"])
        shared_place.clock.advance(days=1)
        await asyncio.gather(one.sums.merge_rare_names(), other.sums.flush())
        counted = "SELECT sum(count) FROM daily_sum WHERE kind = 'name'"
        assert await shared_place.rows(counted) == [(7,)]


async def test_refusals_of_all_shards_are_told_together(stores: tuple[Store, Store]) -> None:
    one, other = stores
    await one.take_shard(Shard(0, 2))
    await other.take_shard(Shard(1, 2))
    await one.notes.set_refusals({"429": 2}, Clock.time)
    await other.notes.set_refusals({"429": 1, "403": 1}, Clock.time)
    refusals = await one.notes.refusals()
    assert refusals is not None
    assert refusals.counts == {"429": 3, "403": 1}


# Condemned pictures.


async def test_a_picture_that_one_condemns_is_told_and_kept_for_a_month(shared_place: Place) -> None:
    digest = bytes(range(32))
    async with two_stores(shared_place) as (one, other):
        assert one.shared_key == other.shared_key != b""
        told = asyncio.Queue[str]()
        other.changes.on_text("condemned_image", told.put_nowait)
        await one.condemned.add(digest, "It cannot be looked at.")
        async with asyncio.timeout(HEARD_WITHIN):
            assert bytes.fromhex(await told.get()) == digest
        found = await other.condemned.one(digest)
        assert found is not None
        assert found.reason == "It cannot be looked at."
        await other.condemned.add(digest, "Again.")
        assert [row.reason for row in await other.condemned.newest()] == ["It cannot be looked at."]
        shared_place.clock.advance(days=31)
        await one.purge()
        assert await other.condemned.one(digest) is None


# Quotas.


async def test_what_people_use_on_two_shards_is_added_up_and_leaks_away(stores: tuple[Store, Store]) -> None:
    one, other = stores
    first = await one.quota_uses.add({MEMBER: QuotaTime(images=100.0, core=50.0)})
    assert 99 < first[MEMBER].images <= 100
    both = await other.quota_uses.add({MEMBER: QuotaTime(images=100.0), MEMBER + 1: QuotaTime(core=3.0)})
    assert 190 < both[MEMBER].images <= 200
    assert 40 < both[MEMBER].core <= 50
    assert 0 < both[MEMBER + 1].core <= 3
    assert both[MEMBER + 1].images == 0


async def test_the_row_of_a_persons_use_names_nobody_and_goes_when_nothing_is_left(
    shared_place: Place,
) -> None:
    async with shared_place.opened() as store:
        await store.quota_uses.add({MEMBER: QuotaTime(images=1.0)})
        ((person,),) = await shared_place.rows("SELECT person FROM quota_use")
        assert person != MEMBER
        await store.erase_user(MEMBER)
        assert len(await shared_place.rows("SELECT person FROM quota_use")) == 1
        shared_place.clock.time = datetime.now(UTC) + timedelta(hours=2)
        await store.purge()
        assert await shared_place.rows("SELECT person FROM quota_use") == []


# Whose the store is.


async def test_processes_of_another_bot_are_kept_out_until_one_had_the_store_alone(
    shared_place: Place,
) -> None:
    async with two_stores(shared_place) as (one, other):
        await one.notes.claim(1)
        await other.notes.claim(1)
        with pytest.raises(StoreOfAnotherBot, match=r"application id 1, .*once without"):
            await other.notes.claim(2)
    shared_place.store = shared_place.store.model_copy(update={"shared": False})
    async with shared_place.opened(alone=True):
        pass
    async with shared_place.opened() as later:
        await later.notes.claim(2)
