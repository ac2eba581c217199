"""After an erasure the database's own files hold nothing of it: no row, freed page or line of the log."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.store import Store, StoreUnavailable
from tests.bot.store.conftest import Place

ALICE = 0x1A2B3C4D5E6F7081
SERVER = 0x1B2C3D4E5F607182
WORDS = "an axolotl of great beauty"


def traces(place: Place, *, of: int) -> int:
    """How often the id, or what its owner wrote, stands anywhere in the database's files."""
    file = place.location.file
    assert file is not None
    found = 0
    for each in (file, *(Path(f"{file}{suffix}") for suffix in ("-wal", "-shm", "-journal"))):
        if each.exists():
            held = each.read_bytes()
            found += held.count(of.to_bytes(8, "big")) + held.count(WORDS.encode())
    return found


async def lived(store: Store, *, seed: int, user_id: int, guild_id: int, others: int = 300) -> None:
    """A time in which many rows come, are changed and go: SQLite moves what stays from page to page."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    people = [user_id] + [2**60 + number for number in range(20)]
    for number in range(others):
        who = people[number % len(people)]
        where: Any = {"channel_id": 5, "guild_id": guild_id if who == user_id else 6, "user_id": who}
        source, answer = chance.getrandbits(62), chance.getrandbits(62)
        await store.work.accept_message(message_id=source, **where)
        await store.work.answered(source, answer_id=answer, **where)
        about: Any = {"answer_id": answer, "image": 0, "guild_id": where["guild_id"], "user_id": who}
        said = WORDS * chance.randrange(1, 4) if who == user_id else "x" * chance.randrange(90)
        await store.feedback.give(**about, model="m", label="cat", certainty="sure", right=False, said=said)
        await store.members.update(who, {"delivery": chance.choice(["private", "direct"])})
        if who != user_id and number % 3 == 0:
            await store.answers.forget(answer)


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_of_a_person_is_left_in_the_files(sqlite_place: Place, seed: int) -> None:
    async with sqlite_place.opened() as store:
        await lived(store, seed=seed, user_id=ALICE, guild_id=6)
        assert traces(sqlite_place, of=ALICE) > 10
        await store.erase_user(ALICE)
        assert traces(sqlite_place, of=ALICE) == 0
    assert traces(sqlite_place, of=ALICE) == 0


async def test_nothing_of_a_server_is_left_in_the_files(sqlite_place: Place) -> None:
    async with sqlite_place.opened() as store:
        await lived(store, seed=4, user_id=ALICE, guild_id=SERVER)
        await store.guilds.update(SERVER, {"top": 5})
        await store.erase_guild(SERVER)
        assert traces(sqlite_place, of=SERVER) == 0


async def test_what_is_deleted_is_overwritten_also_before_the_file_is_written_anew(
    sqlite_place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where there is no room for a second file, the rows are gone all the same, and the log says so."""

    async def full(_: object) -> bool:
        raise StoreUnavailable("The disk is full. Make room.")

    async with sqlite_place.opened() as store:
        await lived(store, seed=5, user_id=ALICE, guild_id=6, others=40)
        monkeypatch.setattr(store._database, "_scrub", full)
        await store.erase_user(ALICE)
        assert set((await store.personal.counts(ALICE)).values()) == {0}
    assert "may leave traces in the free space of the database. The disk is full." in caplog.text
    assert traces(sqlite_place, of=ALICE) == 0, "closing moved all of the log into so small a file"


async def test_another_reader_of_the_database_keeps_its_log_and_the_owner_hears_of_it(
    sqlite_place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.store.database.BUSY_TIMEOUT", 0.1)
    async with sqlite_place.opened() as store:
        await lived(store, seed=6, user_id=ALICE, guild_id=6, others=40)
        with closing(sqlite3.connect(str(sqlite_place.location.file), isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM answer").fetchone()
            await store.erase_user(ALICE)
            assert "another program is reading the database" in caplog.text
            other.execute("COMMIT")
        await store.members.update(ALICE, {"delivery": "direct"})
        await store.erase_user(ALICE)
        assert traces(sqlite_place, of=ALICE) == 0


async def test_many_who_leave_at_once_have_the_file_written_anew_together(
    sqlite_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sqlite_place.opened() as store:
        for user_id in range(1, 31):
            await store.members.update(user_id, {"delivery": "direct"})
        scrub, times = store._database._scrub, 0

        async def counted(tables: Any) -> bool:
            nonlocal times
            times += 1
            return await scrub(tables)

        monkeypatch.setattr(store._database, "_scrub", counted)
        await asyncio.gather(*(store.erase_user(user_id) for user_id in range(1, 31)))
        assert 1 <= times < 30
        await store.erase_user(99)  # of whom nothing was known
        before = times
        await store.erase_user(99)
        assert times == before


async def test_on_postgresql_the_space_of_what_was_erased_is_given_to_others(postgresql_place: Place) -> None:
    async with postgresql_place.opened() as store:
        await lived(store, seed=7, user_id=ALICE, guild_id=6, others=40)
        await store.erase_user(ALICE)
        dead = await postgresql_place.rows(
            "SELECT relname FROM pg_stat_user_tables WHERE vacuum_count = 0"
            " AND relname IN ('answer', 'feedback', 'open_message', 'open_interaction', 'member_preference')"
        )
        assert dead == []
