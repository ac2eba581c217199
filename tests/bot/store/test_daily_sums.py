"""Daily sums: counted in memory, written many at once, kept for a month, and none where nobody wants them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bot.store import Store, StoreUnavailable, daily_sums
from tests.bot.store.conftest import Place

TODAY = date(2026, 3, 1)
GUILD = 4


async def counted(place: Place, days: int = 30) -> dict[date, int]:
    """The pictures of the days on which there were any, as a later start of the bot finds them."""
    async with place.opened() as store:
        sums = await store.sums.of(GUILD, days)
    return {day: count for day, count in sums.pictures.items() if count}


async def test_pictures_names_and_certainties_are_counted_by_day(place: Place) -> None:
    async with place.opened() as store:
        store.sums.add(GUILD, ["sure", "maybe"], ["cat", "dog"])
        place.clock.advance(days=1)
        store.sums.add(GUILD, ["sure"], ["cat"])
        store.sums.add(5, ["sure"], ["mouse"])
        for _ in range(2):  # from memory, and from the database
            sums = await store.sums.of(GUILD, 30)
            assert (sums.names, sums.certainties) == ({"cat": 2, "dog": 1}, {"sure": 2, "maybe": 1})
            assert list(sums.pictures.values())[-2:] == [2, 1]
            assert (sums.total, len(sums.pictures), max(sums.pictures)) == (3, 30, date(2026, 3, 2))
            assert sums.since == datetime(2026, 2, 1, tzinfo=UTC)
            await store.sums.flush()
        store.sums.add(GUILD, ["sure"], ["cat"])
    assert await counted(place) == {TODAY: 2, date(2026, 3, 2): 2}


async def test_nothing_of_a_person_is_in_a_sum(place: Place) -> None:
    async with place.opened() as store:
        store.sums.add(GUILD, ["sure"], ["cat"])
    day = (TODAY - date(1970, 1, 1)).days
    assert await place.rows("SELECT guild_id, day, kind, name, count FROM daily_sum ORDER BY kind") == [
        (GUILD, day, "certainty", "sure", 1),
        (GUILD, day, "name", "cat", 1),
        (GUILD, day, "picture", "", 1),
    ]


async def test_sums_are_written_soon_without_being_asked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily_sums, "FLUSH_AFTER", 0.05)
    async with place.opened() as store:
        for _ in range(100):
            store.sums.add(GUILD, ["sure"], [])
        await place.becomes("SELECT count FROM daily_sum WHERE kind = 'picture'", [(100,)])


async def test_what_could_not_be_written_is_added_the_next_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        store.sums.add(GUILD, ["sure"], [])  # meanwhile
        raise StoreUnavailable("the disk is full")

    store.sums.add(GUILD, ["sure"], ["cat"])
    with monkeypatch.context() as patch:
        patch.setattr(store._database, "write_many", full)
        with pytest.raises(StoreUnavailable):
            await store.sums.flush()
    await store.sums.flush()
    sums = await store.sums.of(GUILD, 1)
    assert (sums.total, sums.names) == (2, {"cat": 1})


async def test_memory_is_bounded_while_nothing_can_be_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily_sums, "MOST_WAITING", 3)
    store.sums.add(GUILD, ["sure", "sure"], ["cat", "dog", "mouse"])
    store.sums.add(GUILD, ["sure"], ["cat", "hare"])
    sums = await store.sums.of(GUILD, 1)
    assert sums.names == {"cat": 2, "dog": 1, "mouse": 1}


async def test_a_server_that_turns_them_off_has_none_and_gets_none(place: Place) -> None:
    async with place.opened() as store:
        for guild_id in (GUILD, 5):
            store.sums.add(guild_id, ["sure"], ["cat"])
        await store.sums.flush()
        store.sums.add(GUILD, ["sure"], ["dog"])
        await store.guilds.update(GUILD, {"statistics": "off"})
        store.sums.add(GUILD, ["sure"], ["an answer that was on its way"])
        await store.sums.flush()
        assert {guild_id for (guild_id,) in await place.rows("SELECT guild_id FROM daily_sum")} == {5}
        await store.guilds.reset(GUILD, ["statistics"])
        store.sums.add(GUILD, ["sure"], ["cat"])
    assert await counted(place) == {TODAY: 1}


async def test_they_are_kept_for_a_month(place: Place) -> None:
    async with place.opened() as store:
        for _ in range(40):
            store.sums.add(GUILD, ["sure"], ["cat"])
            await store.sums.flush()
            place.clock.advance(days=1)
        await store.purge()
        (kept,) = await place.rows("SELECT COUNT(DISTINCT day) FROM daily_sum")
        assert kept == (30,)
        assert (await store.sums.of(GUILD, 30)).total == 29  # and today none yet


async def test_rare_names_of_days_that_are_over_become_one_sum(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily_sums, "NAMES_A_DAY", 2)
    names = ["cat", "cat", "cat", "dog", "dog", "hare", "mouse"]
    async with place.opened() as store:
        store.sums.add(GUILD, ["sure"] * 7, names)
        await store.sums.flush()
        await store.purge()
        assert len((await store.sums.of(GUILD, 2)).names) == 4, "the day is not over"
        place.clock.advance(days=1)
        for _ in range(2):
            await store.purge()
            assert (await store.sums.of(GUILD, 2)).names == {"cat": 3, "dog": 2}
            rest = await place.rows("SELECT count FROM daily_sum WHERE kind = 'name' AND name = ''")
            assert rest == [(2,)]
        assert (await store.sums.of(GUILD, 2)).total == 7


async def test_a_long_name_is_cut_as_the_column_needs_it(store: Store) -> None:
    store.sums.add(GUILD, ["sure"], ["猫" * 300])
    await store.sums.flush()
    assert (await store.sums.of(GUILD, 1)).names == {"猫" * 100: 1}
