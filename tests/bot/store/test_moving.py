"""A store moves to another database with all that is in it, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import ProgrammingError

import config.settings
from bot.store import Store, StoreError, StoreUnavailable, moving
from bot.store.check import TABLES
from bot.store.database import connect
from bot.store.indexed_images import NewImage
from bot.store.location import Location, locate
from bot.store.moving import TableSum, move
from bot.store.tables import QuotaUse
from bot.store.taught_results import NewExample
from tests.bot.store.conftest import Clock, Place


@pytest.fixture
def another_sqlite_place(tmp_path: Path) -> Place:
    return Place(config.settings.StoreSettings(), config.settings.Data(dir=tmp_path / "other"))


@pytest.fixture(
    params=[
        ("sqlite_place", "another_sqlite_place"),
        ("sqlite_place", "postgresql_place"),
        ("postgresql_place", "sqlite_place"),
    ],
    ids=["sqlite-sqlite", "sqlite-postgresql", "postgresql-sqlite"],
)
def places(request: pytest.FixtureRequest) -> tuple[Place, Place]:
    """From where, and to where."""
    first, second = (request.getfixturevalue(name) for name in request.param)
    return first, second


async def fill(store: Store, number: int = 1300) -> None:
    """A row of every kind and type, and of one table more than are copied at once."""
    where: Any = {"channel_id": 5, "guild_id": 6, "user_id": 2**62}
    await store.guilds.update(6, {"top": 5, "emoji": "👀", "channels": [2**62, 3], "min_confidence": 0.1})
    await store.members.update(7, {"language": "ja", "leave_alone": True})
    await store.work.accept_message(message_id=9, **where, asked=True)
    await store.work.accept_interaction(
        interaction_id=10,
        application_id=1,
        token="t",  # noqa: S106 - none
        images=[{"url": "https://x/ä 猫", "size": None, "ratio": 0.1, "certain": True}],
        options={"top": 3, "dm": False, "locale": None},
        **where,
    )
    sources = range(1, number + 1)
    await store.answers.add(source_ids=sources, answer_id=2**62 + 1, images=2**63 - 1, **where)
    store.seen.saw(6, 5, 2**62)
    about: Any = {"answer_id": 2**62, "guild_id": 6, "user_id": 1, "model": "m", "certainty": "sure"}
    await store.feedback.give(image=0, label="tabby", right=False, said="日本猫 'ä' \\ \"", **about)
    await store.feedback.give(image=1, label="tabby", right=True, **about)
    store.sums.add(6, ["sure"], ["cat"])
    pictures = [NewExample(bytes(range(256)), 2**62, 5, 9), NewExample(b"\0\xff")]
    await store.teaching.teach(6, "Fluffy 猫", "model-f32-1.1", pictures)
    await store.images.add(
        [
            NewImage(
                2**62, 0, 6, 5, 5, 5, 9, "model-f32-1.1", bytes(range(256)), b"\0" * 8, "cat", "tabby", 1
            ),
            NewImage(2**62, 1, 6, 5, 5, 5, 9, "model-f32-1.1", b"\0\xff", None),
        ]
    )
    await store.backfills.begin(
        channel_id=5, guild_id=6, before_id=2**62, messages=1, images=2, progress_channel_id=5,
        progress_message_id=7, language="ja",
    )  # fmt: skip
    await store.notes.set("note", "noted")
    await store.condemned.add(bytes(range(32)), "It cannot be looked at.")
    used = {"person": -(2**62), "images_until": Clock.time, "core_until": Clock.time}
    await store._database.write_many(insert(QuotaUse), [used])
    await store.departures.note(8)


@asynccontextmanager
async def filled(place: Place) -> AsyncIterator[Place]:
    async with place.opened() as store:
        await fill(store)
    yield place


async def contents(place: Place) -> dict[str, list[tuple[object, ...]]]:
    """All rows, as the store's own tables read them."""
    engine, found = connect(place.location, pooled=False), {}
    async with engine.connect() as connection:
        for table in TABLES:
            rows = (await connection.execute(select(table))).all()
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    await engine.dispose()
    return found


def silent(table: str, rows: int) -> None:
    pass


async def test_all_rows_arrive_and_the_source_is_as_it_was(places: tuple[Place, Place]) -> None:
    source, target = places
    async with filled(source):
        before, told = await contents(source), dict[str, int]()
        assert all(before.values()), "every table has a row"
        file = source.location.file
        digest = hashlib.sha256(file.read_bytes()).digest() if file else b""
        rows = await move(source.location, target.location, told.__setitem__)
        assert await contents(target) == before == await contents(source)
        assert rows == sum(told.values()) == sum(map(len, before.values()))
        if file:
            assert hashlib.sha256(file.read_bytes()).digest() == digest
    async with target.opened(alone=True) as store:
        assert (await store.guilds.get(6)).channels == (3, 2**62)
        assert (await store.members.get(7)).leave_alone
        assert len(await store.answers.sources(2**62 + 1)) == 1300


async def test_there_and_back_nothing_is_lost(
    sqlite_place: Place, postgresql_place: Place, another_sqlite_place: Place
) -> None:
    async with filled(sqlite_place):
        await move(sqlite_place.location, postgresql_place.location, silent)
        await move(postgresql_place.location, another_sqlite_place.location, silent)
        assert await contents(another_sqlite_place) == await contents(sqlite_place)


async def nothing_arrived(target: Place) -> bool:
    if target.location.file is not None and not target.location.file.exists():
        return True
    try:
        return not any((await contents(target)).values())
    except ProgrammingError:  # not even a table
        return True


async def test_a_move_that_breaks_off_leaves_the_target_empty_and_can_be_tried_again(
    places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = places
    async with filled(source):

        def breaks(table: str, rows: int) -> None:
            if table == "guild_setting":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await move(source.location, target.location, breaks)
        assert await nothing_arrived(target)
        await move(source.location, target.location, silent)
        assert await contents(target) == await contents(source)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from bot.store.location import locate
from bot.store.moving import move
from config.settings import Data, StoreSettings

def die(table, rows):
    if table == "guild_setting":
        os.kill(os.getpid(), signal.SIGKILL)

places = [locate(StoreSettings(url=None if url == "None" else url), Data(dir=Path(folder)))
          for url, folder in zip(sys.argv[1::2], sys.argv[2::2])]
asyncio.run(move(*places, die))
"""


async def test_a_move_that_is_killed_can_be_tried_again(places: tuple[Place, Place]) -> None:
    source, target = places
    async with filled(source):
        named = [str(each) for place in places for each in (place.store.url, place.data.dir)]
        killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, *named)
        assert await killed.wait() == -signal.SIGKILL
        assert await nothing_arrived(target)
        await move(source.location, target.location, silent)
        assert await contents(target) == await contents(source)


@pytest.mark.parametrize("harm", ["one row less", "one value changed"])
async def test_what_did_not_arrive_as_it_was_sent_is_noticed_and_undone(
    places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    source, target = places
    summed: Callable[..., Any] = moving._sum

    async def harmed(table: Any, connection: Any) -> TableSum:
        if table.name == "feedback":
            less = "DELETE FROM feedback WHERE image = 1"
            other = "UPDATE feedback SET said = 'dog' WHERE image = 0"
            await connection.execute(text(less if harm == "one row less" else other))
        found: TableSum = await summed(table, connection)
        return found

    async with filled(source):
        with monkeypatch.context() as patch:
            patch.setattr(moving, "_sum", harmed)
            with pytest.raises(StoreUnavailable, match="feedback arrived with"):
                await move(source.location, target.location, silent)
        assert await nothing_arrived(target)


async def test_a_target_that_holds_something_is_left_as_it_is(places: tuple[Place, Place]) -> None:
    source, target = places
    async with filled(source):
        async with target.opened() as store:
            await store.guilds.update(1, {"top": 9})
        before = await contents(target)
        with pytest.raises(StoreUnavailable, match=r"is a store already, with rows in guild_setting \(1\)"):
            await move(source.location, target.location, silent)
        assert await contents(target) == before


async def test_a_store_in_use_is_not_moved_nor_moved_to(places: tuple[Place, Place]) -> None:
    source, target = places
    for used in places:
        async with used.opened(alone=True):
            with pytest.raises(StoreUnavailable, match="is used by a bot"):
                await move(source.location, target.location, silent)
        if used is source:
            assert await nothing_arrived(target)


async def test_a_store_is_not_moved_onto_itself(place: Place) -> None:
    async with filled(place):
        before = await contents(place)
        with pytest.raises(StoreUnavailable, match="is where the store is already"):
            await move(place.location, place.location, silent)
        assert await contents(place) == before


async def test_no_store_is_made_of_none(sqlite_place: Place, another_sqlite_place: Place) -> None:
    with pytest.raises(StoreUnavailable, match="is not there"):
        await move(sqlite_place.location, another_sqlite_place.location, silent)
    assert another_sqlite_place.location.file is not None
    assert not another_sqlite_place.location.file.exists()


async def test_what_postgresql_cannot_hold_is_named_and_nothing_is_moved(
    sqlite_place: Place, postgresql_place: Place
) -> None:
    async with sqlite_place.opened() as store:
        await store.feedback.give(
            answer_id=1, image=0, user_id=1, guild_id=1, model="m", label="l", certainty="sure", right=False,
            said="a\0b",
        )  # fmt: skip
    with pytest.raises(StoreError, match="did not take a row of feedback"):
        await move(sqlite_place.location, postgresql_place.location, silent)
    assert await nothing_arrived(postgresql_place)


async def test_an_address_that_leads_nowhere_is_an_error_with_a_way_out(
    sqlite_place: Place, tmp_path: Path
) -> None:
    async with filled(sqlite_place):
        nowhere = config.settings.StoreSettings(url="postgresql://nobody@127.0.0.1:9/none")
        with pytest.raises(StoreUnavailable, match="Check that PostgreSQL runs"):
            await move(sqlite_place.location, locate(nowhere, sqlite_place.data), silent)
        folder = tmp_path / "a file"
        folder.write_text("in the way")
        with pytest.raises(StoreUnavailable):
            await move(sqlite_place.location, Location.of_file(folder / "x.sqlite3"), silent)
