"""Which servers were left, and when: the last departure counts, and being back ends it."""

from __future__ import annotations

from datetime import timedelta

from tests.bot.store.conftest import Place


async def test_the_last_departure_counts_and_outlives_a_restart(place: Place) -> None:
    first = place.clock()
    async with place.opened() as store:
        await store.departures.note(1)
        await store.departures.note(2)
        place.clock.advance(days=1)
        await store.departures.note(2)
    async with place.opened() as store:
        assert await store.departures.all() == {1: first, 2: first + timedelta(days=1)}
        assert await store.guild_ids() == {1, 2}


async def test_being_back_ends_it_also_where_nothing_was_noted(place: Place) -> None:
    async with place.opened() as store:
        await store.departures.note(1)
        await store.departures.cancel(1)
        await store.departures.cancel(5)
        assert await store.departures.all() == {}
        await store.departures.note(1)
        await store.erase_guild(1)
        assert await store.departures.all() == {}
