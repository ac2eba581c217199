"""Writing: together where that is cheaper, and nobody pays for another's mistake."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import sys
from contextlib import closing

import pytest
from sqlalchemy.exc import IntegrityError

from bot.store import Store, StoreUnavailable
from bot.store import database as database_module
from bot.store.database import Write
from tests.bot.store.conftest import Place


async def keep(store: Store, number: int, value: str | None = "x") -> None:
    await store._database.write(Write(store.notes._set, {"key": str(number), "value": value}))


async def test_a_write_that_fails_does_not_spoil_its_neighbours(place: Place) -> None:
    async with place.opened() as store:
        values = ["a", "b", None, "d"]
        ended = await asyncio.gather(
            *(keep(store, number, value) for number, value in enumerate(values)), return_exceptions=True
        )
        assert [type(each) for each in ended] == [type(None), type(None), IntegrityError, type(None)]
        assert sorted(await place.rows("SELECT key FROM meta WHERE key <> 'mark key'")) == [
            ("0",),
            ("1",),
            ("3",),
        ]
        await keep(store, 2)


async def test_what_belongs_together_is_written_together_or_not_at_all(place: Place) -> None:
    async with place.opened() as store:
        good, bad = ({"key": str(number), "value": value} for number, value in enumerate(("x", None)))
        with pytest.raises(IntegrityError):
            await store._database.write(Write(store.notes._set, good), Write(store.notes._set, bad))
        assert await place.rows("SELECT * FROM meta WHERE key <> 'mark key'") == []


async def test_a_write_whose_caller_has_gone_is_still_done(place: Place) -> None:
    async with place.opened() as store:
        first, second = (asyncio.create_task(keep(store, number)) for number in range(2))
        await asyncio.sleep(0)
        second.cancel()
        await first
        with pytest.raises(asyncio.CancelledError):
            await second
    assert sorted(await place.rows("SELECT key FROM meta WHERE key <> 'mark key'")) == [("0",), ("1",)]


async def test_closing_waits_for_what_is_being_written(place: Place) -> None:
    async with place.opened() as store:
        waiting = [asyncio.create_task(keep(store, number)) for number in range(1200)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert len(await place.rows("SELECT key FROM meta WHERE key <> 'mark key'")) == 1200


async def test_a_file_that_another_program_holds_is_a_clear_error_for_all_and_then_over(
    sqlite_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT", 0.1)
    async with sqlite_place.opened() as store:
        with closing(sqlite3.connect(str(sqlite_place.location.file), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            ended = await asyncio.gather(
                *(keep(store, number) for number in range(50)), return_exceptions=True
            )
            assert {type(each) for each in ended} == {StoreUnavailable}
            assert re.search("whatsit.sqlite3 cannot be used: another program holds it", str(ended[0]))
            other.execute("ROLLBACK")
        await keep(store, 1)


async def test_a_full_disk_is_a_clear_error_and_then_over(sqlite_place: Place) -> None:
    async with sqlite_place.opened() as store:
        async with store._database.transaction() as connection:
            pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
            await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")  # as good as a full disk
        with pytest.raises(StoreUnavailable, match=r"the disk is full\. Make room"):
            await asyncio.gather(*(keep(store, number, "x" * 3000) for number in range(50)))
        async with store._database.transaction() as connection:
            await connection.exec_driver_sql("PRAGMA max_page_count = 100000")
        await keep(store, 1, "x" * 3000)


async def test_a_postgresql_that_drops_the_connection_is_found_again(postgresql_place: Place) -> None:
    async with postgresql_place.opened() as store:
        await keep(store, 1)
        await postgresql_place.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await keep(store, 2)
        assert await store.notes.get("2") == "x"


async def test_a_postgresql_that_is_gone_is_a_clear_error_for_readers_and_writers(
    postgresql_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    async with postgresql_place.opened() as store:
        await store._database._engine.dispose()
        with monkeypatch.context() as patch:
            patch.setattr("asyncpg.connect", refuse)
            with pytest.raises(StoreUnavailable, match=r"Connection refused\..*PostgreSQL runs"):
                await store.notes.get("1")
            with pytest.raises(StoreUnavailable, match="Connection refused"):
                await keep(store, 1)
        await keep(store, 1)
        assert await store.notes.get("1") == "x"


async def test_a_postgresql_that_does_not_answer_is_waited_for_only_so_long(
    postgresql_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "ANSWER_TIMEOUT", 0.5)
    async with postgresql_place.opened() as store:
        with pytest.raises(StoreUnavailable, match="it did not answer in time"):
            async with store._database.transaction() as connection:
                await connection.exec_driver_sql("SELECT pg_sleep(60)")
        await keep(store, 1)


ACCEPTS_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from bot.store import GuildSettings, Store
from config.settings import Data, StoreSettings as Settings

async def main() -> None:
    url = None if sys.argv[2] == "None" else sys.argv[2]
    store = await Store.open(Settings(url=url), Data(dir=Path(sys.argv[1])), guild_defaults=GuildSettings())

    async def accept(message_id: int) -> None:
        await store.work.accept_message(message_id=message_id, channel_id=1, guild_id=2, user_id=3)
        print(message_id, flush=True)

    for first in range(1, 1_000_000, 10):
        await asyncio.gather(*(accept(first + number) for number in range(10)))

asyncio.run(main())
"""


async def test_what_was_accepted_outlives_a_kill(place: Place) -> None:
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ACCEPTS_FOR_EVER, str(place.data.dir), str(place.store.url)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert running.stdout is not None
    printed = [await running.stdout.readline() for _ in range(40)]
    running.kill()
    printed += (await running.stdout.read()).splitlines(keepends=True)
    await running.wait()
    accepted = {int(line) for line in printed if line.endswith(b"\n")}
    kept = {number for (number,) in await place.rows("SELECT message_id FROM open_message")}
    assert len(accepted) >= 40
    assert accepted <= kept
