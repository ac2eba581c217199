"""Processes share shards by locks that nobody holds any longer than they live."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.store import identify_turns, shard_locks
from bot.store.faults import StoreInUse
from bot.store.identify_turns import IdentifyTurns
from bot.store.lease import StoreLease
from bot.store.shard import Shard
from bot.store.shard_holders import shard_holders
from bot.store.shard_locks import ShardCountDiffers, ShardLocks
from tests.bot.store.conftest import Place

BOT, ANOTHER_BOT = 1234567890123456789, 1234567890123456790


@pytest.fixture
async def place(postgresql_place: Place) -> Place:
    async with postgresql_place.opened():  # makes the tables
        return postgresql_place


@asynccontextmanager
async def locks(
    place: Place, recommended: int = 2, told: int | None = None, bot: int = BOT
) -> AsyncIterator[ShardLocks]:
    """Those of one process, once it has agreed with the others."""
    opened = await ShardLocks.open(place.location)
    try:
        await opened.agree(bot, recommended, told)
        yield opened
    finally:
        await opened.close()


async def end_of(place: Place, held: ShardLocks) -> None:
    """PostgreSQL ends the connection, as it does when it is restarted."""
    await place.rows(f"SELECT pg_terminate_backend({held.session.pid})")


async def test_each_process_has_a_shard_of_its_own_and_the_next_one_waits(place: Place) -> None:
    async with locks(place) as one, locks(place) as two, locks(place) as spare:
        assert await one.take() == Shard(0, 2)
        assert await two.take() == Shard(1, 2)
        waiting = asyncio.create_task(spare.take())
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await two.close()
        assert await waiting == Shard(1, 2)


async def test_bots_on_one_database_have_shards_of_their_own(place: Place) -> None:
    async with locks(place, 1) as one, locks(place, 3, bot=ANOTHER_BOT) as other:
        assert await one.take() == Shard(0, 1)
        assert await other.take() == Shard(0, 3)


async def test_the_number_stands_until_the_last_process_has_ended(place: Place) -> None:
    async with locks(place, 2) as one, locks(place, 5) as other:
        assert (one.total, other.total) == (2, 2)
        await one.close()
        async with locks(place, 5) as third:
            assert third.total == 2
    async with locks(place, 5) as anew:
        assert anew.total == 5


async def test_all_that_start_at_once_agree(place: Place) -> None:
    opened = [await ShardLocks.open(place.location) for _ in range(4)]
    totals = await asyncio.gather(*(each.agree(BOT, 2 + n, None) for n, each in enumerate(opened)))
    for each in opened:
        await each.close()
    assert len(set(totals)) == 1


async def test_who_is_told_another_number_than_runs_is_refused(place: Place) -> None:
    async with locks(place, 2), locks(place, 3, told=2):
        with pytest.raises(ShardCountDiffers, match="run 2 shards, and this one was told 4"):
            async with locks(place, 2, told=4):
                pass


async def test_who_wants_the_store_alone_does_not_get_it_beside_shards(place: Place) -> None:
    async with locks(place):
        with pytest.raises(StoreInUse):
            await StoreLease.take(place.location)
    lease = await StoreLease.take(place.location)
    with pytest.raises(StoreInUse):
        await ShardLocks.open(place.location)
    await lease.release()


async def test_a_connection_that_breaks_is_made_again_with_its_shard(place: Place) -> None:
    async with locks(place) as one, locks(place) as two:
        assert await one.take() == Shard(0, 2)
        before = one.session.pid
        await end_of(place, one)
        while one.session.pid == before:  # noqa: ASYNC110 - nothing tells us when
            await asyncio.sleep(0.02)
        assert await two.take() == Shard(1, 2)
        assert (one.shard, one.lost.is_set()) == (Shard(0, 2), False)


async def test_a_shard_that_another_process_has_got_meanwhile_is_lost(place: Place) -> None:
    async with locks(place, 1) as one, locks(place, 1) as spare:
        assert await one.take() == Shard(0, 1)
        waiting = asyncio.create_task(spare.session.ask(*FIRST_SHARD))
        await asyncio.sleep(0.2)
        await end_of(place, one)
        await waiting
        await asyncio.wait_for(one.lost.wait(), 10)
        assert one.shard is None


FIRST_SHARD = ("SELECT pg_advisory_lock($1, 0)", shard_locks.lock_class("shards", BOT))


async def test_a_spare_finds_the_store_again_and_leaves_the_shards_to_who_had_them(
    place: Place,
) -> None:
    async with locks(place, 1) as one, locks(place, 1) as spare:
        await one.take()
        waiting = asyncio.create_task(spare.take())
        before = one.session.pid, spare.session.pid
        await end_of(place, spare)
        await end_of(place, one)
        while spare.session.pid == before[1]:  # noqa: ASYNC110 - nothing tells us when
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        assert not waiting.done()
        assert (one.shard, one.session.pid != before[0]) == (Shard(0, 1), True)
        await one.close()
        assert await waiting == Shard(0, 1)


async def test_in_a_bucket_one_identifies_after_the_other_whatever_happens_to_the_first(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identify_turns, "SPACING", 1.0)
    async with locks(place) as one, locks(place) as two, locks(place) as three:
        first, second, other = IdentifyTurns(one), IdentifyTurns(two), IdentifyTurns(three)
        await first.wait(0)
        await first.wait(0)
        await other.wait(1)  # another bucket waits for nobody
        begun = time.monotonic()
        await first.use()
        waiting = asyncio.create_task(second.wait(0))
        await asyncio.sleep(0.1)
        await one.close()  # killed before it could say that it was done
        await waiting
        assert time.monotonic() - begun >= 0.95


async def test_a_turn_that_was_not_used_costs_the_next_one_nothing(place: Place) -> None:
    async with locks(place) as one, locks(place) as two:
        first, second = IdentifyTurns(one), IdentifyTurns(two)
        await first.wait(0)
        await first.end()
        await asyncio.wait_for(second.wait(0), identify_turns.SPACING / 2)
        await second.use()
        await second.end()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(first.wait(0), 0.5)
        await first.end()


async def test_it_can_be_told_who_has_which_shard(place: Place) -> None:
    assert await shard_holders(place.location) == ({}, 0, 0)
    async with locks(place, 3) as one, locks(place, 3) as spare:
        await one.take()
        held, total, spares = await shard_holders(place.location)
        assert (total, spares) == (3, 1)
        assert list(held) == [0]
        assert f"(process {os.getpid()})" in held[0]
        assert spare.shard is None
