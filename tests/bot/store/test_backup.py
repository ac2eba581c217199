"""A store is backed up while it is used, put back while it is not, and looked through without a trace."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store import Store, StoreDamaged, StoreError, StoreTooNew, StoreUnavailable, upgrading
from bot.store import postgresql_backup as dumps
from bot.store.check import check
from bot.store.database import connect
from bot.store.location import locate
from bot.store.migrations import HEAD, VERSION_TABLE
from bot.store.sole_use import sole_use
from bot.store.sqlite_backup import back_up_file, restore_file
from config.settings import Data, StoreSettings
from tests.bot.store.conftest import Place

OLD = "old-"


@pytest.fixture(autouse=True)
def _clients_of_postgresql(request: pytest.FixtureRequest) -> None:
    if "postgresql" in request.node.name and shutil.which("pg_dump") is None:
        pytest.skip("PostgreSQL's client programs are not installed here")


def back_up(place: Place, backup: Path) -> None:
    if place.location.file is not None:
        back_up_file(place.location.file, backup)
    else:
        dumps.back_up_postgresql(place.location, backup)


def restore(place: Place, backup: Path) -> Path:
    """Put a backup in place; return where the old store is."""
    folder = backup.parent if place.location.file is None else place.data.dir
    old = folder / f"{OLD}{sum(1 for file in folder.iterdir() if file.name.startswith(OLD))}"
    if place.location.file is not None:
        restore_file(backup, place.location.file, old)
    else:
        dumps.restore_postgresql(backup, place.location, old)
    return old


async def tops(place: Place, *guilds: int) -> list[int]:
    async with place.opened() as store:
        return [(await store.guilds.get(guild)).top for guild in guilds]


async def test_a_backup_that_is_restored_brings_back_what_was_there(place: Place, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    async with place.opened(alone=True) as store:
        await store.guilds.update(1, {"top": 5})
        await asyncio.to_thread(back_up, place, backup)  # while the bot runs
        await store.guilds.update(1, {"top": 7})
        await store.guilds.update(2, {"top": 7})
    assert backup.stat().st_mode & 0o777 == 0o600
    old = await asyncio.to_thread(restore, place, backup)
    assert await tops(place, 1, 2) == [5, 3]
    await asyncio.to_thread(restore, place, old)
    assert await tops(place, 1, 2) == [7, 7], "the old store was kept"


async def test_what_is_written_during_a_backup_waits_for_nothing_and_breaks_nothing(
    sqlite_place: Place, tmp_path: Path
) -> None:
    async def write(store: Store) -> None:
        for guild in range(100):
            await store.guilds.update(guild, {"top": 5})

    async with sqlite_place.opened(alone=True) as store:
        backups = [tmp_path / str(number) for number in range(5)]
        writing = asyncio.create_task(write(store))
        for backup in backups:
            await asyncio.to_thread(back_up, sqlite_place, backup)
        await writing
    for backup in backups:
        with closing(sqlite3.connect(backup)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert not [
        file for file in await asyncio.to_thread(lambda: [*tmp_path.iterdir()]) if "unfinished" in file.name
    ]


async def test_a_backup_replaces_no_file(place: Place, tmp_path: Path) -> None:
    async with place.opened():
        pass
    backup = tmp_path / "backup"
    backup.write_text("precious")
    with pytest.raises(StoreUnavailable, match="backup is there already"):
        await asyncio.to_thread(back_up, place, backup)
    assert backup.read_text() == "precious"


async def test_a_backup_that_cannot_be_written_leaves_nothing_behind(place: Place, tmp_path: Path) -> None:
    async with place.opened():
        pass
    with pytest.raises(StoreUnavailable, match="cannot be written: No such file or directory"):
        await asyncio.to_thread(back_up, place, tmp_path / "no folder" / "backup")


async def test_an_older_store_is_backed_up_restored_and_then_brought_up_to_date(
    place: Place, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    place.data.dir.mkdir(exist_ok=True)
    older = partial(command.upgrade, revision="0002")
    await asyncio.to_thread(upgrading.change, place.location, older)
    await asyncio.to_thread(back_up, place, backup)
    async with place.opened() as store:  # which brings it up to date, with tables that the backup has not
        store.sums.add(1, ["sure"], ["cat"])
    await asyncio.to_thread(restore, place, backup)
    assert await place.rows(f"SELECT version_num FROM {VERSION_TABLE}") == [("0002",)]  # noqa: S608 - a constant
    assert await tops(place, 1) == [3]
    assert await place.rows(f"SELECT version_num FROM {VERSION_TABLE}") == [(HEAD,)]  # noqa: S608 - a constant


async def test_a_backup_of_a_newer_whatsit_is_refused(place: Place, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    async with place.opened() as store:
        await store.guilds.update(1, {"top": 5})
    await set_version(place, "9999")
    if place.location.file is not None:
        shutil.copy(place.location.file, backup)
    else:
        await asyncio.to_thread(back_up, place, backup)
    await set_version(place, HEAD)
    with pytest.raises(StoreTooNew, match="version 9999"):
        await asyncio.to_thread(restore, place, backup)
    assert await tops(place, 1) == [5]


async def set_version(place: Place, version: str) -> None:
    engine = connect(place.location, pooled=False)
    async with engine.begin() as connection:
        await connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = :to"), {"to": version})  # noqa: S608 - a constant
    await engine.dispose()


@pytest.mark.parametrize("content", [b"", b"no database" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
async def test_what_is_no_backup_is_refused_and_nothing_changes(
    sqlite_place: Place, tmp_path: Path, content: bytes
) -> None:
    backup = tmp_path / "backup"
    backup.write_bytes(content)
    async with sqlite_place.opened() as store:
        await store.guilds.update(1, {"top": 5})
    with pytest.raises(StoreDamaged, match="backup cannot be used"):
        restore(sqlite_place, backup)
    assert await tops(sqlite_place, 1) == [5]
    assert [file.name for file in sqlite_place.data.dir.iterdir() if OLD in file.name] == []


async def test_a_damaged_store_can_be_replaced_by_a_backup(sqlite_place: Place, tmp_path: Path) -> None:
    backup, file = tmp_path / "backup", sqlite_place.location.file
    assert file is not None
    async with sqlite_place.opened() as store:
        await store.guilds.update(1, {"top": 5})
    back_up(sqlite_place, backup)
    file.write_bytes(b"\xff" * 9000)
    async with sole_use(sqlite_place.location):
        old = restore(sqlite_place, backup)
    assert old.read_bytes() == b"\xff" * 9000
    assert await tops(sqlite_place, 1) == [5]


async def test_on_a_new_machine_a_backup_becomes_the_store(sqlite_place: Place, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    async with sqlite_place.opened() as store:
        await store.guilds.update(1, {"top": 5})
    back_up(sqlite_place, backup)
    shutil.rmtree(sqlite_place.data.dir)
    async with sole_use(sqlite_place.location):
        assert not restore(sqlite_place, backup).exists()
    assert await tops(sqlite_place, 1) == [5]


async def test_a_restore_that_fails_half_way_leaves_the_old_store(
    sqlite_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = tmp_path / "backup"
    async with sqlite_place.opened() as store:
        await store.guilds.update(1, {"top": 5})
    back_up(sqlite_place, backup)
    async with sqlite_place.opened() as store:
        await store.guilds.update(1, {"top": 7})
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if self.name.endswith(".restoring"):
            raise OSError(28, os.strerror(28))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        restore(sqlite_place, backup)
    assert await tops(sqlite_place, 1) == [7]
    assert sorted(file.name for file in sqlite_place.data.dir.iterdir() if "restoring" in file.name) == []


async def test_a_dump_that_is_cut_changes_nothing(postgresql_place: Place, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    async with postgresql_place.opened() as store:
        await store.guilds.update(1, {"top": 5})
    back_up(postgresql_place, backup)
    backup.write_bytes(backup.read_bytes()[:-200])
    with pytest.raises(StoreError):
        restore(postgresql_place, backup)
    assert await tops(postgresql_place, 1) == [5]


async def test_what_others_have_in_the_same_postgresql_stays(postgresql_place: Place, tmp_path: Path) -> None:
    async with postgresql_place.opened():
        pass
    engine = create_async_engine(postgresql_place.location.url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE theirs AS SELECT 42 AS answer"))
    await engine.dispose()
    backup = tmp_path / "backup"
    back_up(postgresql_place, backup)
    restore(postgresql_place, backup)
    assert await postgresql_place.rows("SELECT answer FROM theirs") == [(42,)]


async def test_without_postgresqls_programs_it_says_how_to_get_them(
    postgresql_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreUnavailable, match="pg_dump is needed, and it is not installed here") as caught:
        back_up(postgresql_place, tmp_path / "backup")
    assert "postgresql-client" in str(caught.value)


async def test_the_password_is_in_no_command_line_and_the_token_in_no_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = tmp_path / "pg_dump"
    spy.write_text('#!/bin/sh\necho "$*" > "$TMPDIR/arguments"; env > "$TMPDIR/environment"; exit 1\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("DISCORD_TOKEN", "token")
    url = "postgresql://me:pass%2Fword@db.example:5433/bots?ssl=require"
    location = locate(StoreSettings(url=url), Data(dir=tmp_path))
    with pytest.raises(StoreUnavailable, match="pg_dump failed") as caught:
        dumps.back_up_postgresql(location, tmp_path / "backup")
    arguments, environment = ((tmp_path / name).read_text() for name in ("arguments", "environment"))
    assert "postgresql://me@db.example:5433/bots?sslmode=require" in arguments
    assert "pass/word" not in arguments + str(caught.value)
    assert "PGPASSWORD=pass/word" in environment
    assert "DISCORD_TOKEN" not in environment


@pytest.mark.parametrize("alone", [True, False])
async def test_a_store_in_use_is_left_alone(place: Place, alone: bool) -> None:
    async with place.opened(alone=alone) as store:
        await store.guilds.update(1, {"top": 5})
        with pytest.raises(StoreUnavailable, match="is used by a bot"):
            async with sole_use(place.location):
                pytest.fail("it is in use")
    async with sole_use(place.location):
        pass


async def test_a_sound_store_says_what_is_in_it_and_is_not_touched(place: Place) -> None:
    async with place.opened() as store:
        await store.guilds.update(1, {"top": 5})
        store.sums.add(1, ["sure"], ["cat"])
    file = place.location.file
    before = file.read_bytes() if file else b""
    report = await check(place.location)
    assert (report.faults, report.version) == ([], HEAD)
    assert (report.rows["guild_setting"], report.rows["daily_sum"], report.rows["meta"]) == (1, 3, 1)
    assert report.size > 0
    if file:
        assert (report.size, report.page) == (file.stat().st_size, 4096)
        assert file.read_bytes() == before


async def test_free_pages_are_counted(sqlite_place: Place) -> None:
    async with sqlite_place.opened() as store:
        await store.answers.add(
            source_ids=range(1, 3000), answer_id=2**62, channel_id=1, guild_id=1, user_id=1
        )
        await store.answers.forget(2**62)
    assert (await check(sqlite_place.location)).free > 5


async def test_a_damaged_store_is_told_from_a_sound_one(sqlite_place: Place) -> None:
    file = sqlite_place.location.file
    assert file is not None
    async with sqlite_place.opened() as store:
        await store.answers.add(
            source_ids=range(1, 3000), answer_id=2**62, channel_id=1, guild_id=1, user_id=1
        )
    content = bytearray(file.read_bytes())
    content[20 * 4096 : 21 * 4096] = b"\xff" * 4096
    file.write_bytes(content)
    report = await check(sqlite_place.location)
    assert not report.is_sound


async def test_a_table_that_is_missing_is_named(place: Place) -> None:
    async with place.opened():
        pass
    engine = connect(place.location, pooled=False)
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE feedback"))
    await engine.dispose()
    assert (await check(place.location)).faults == ["Tables are missing: feedback."]


async def test_a_place_without_a_store_is_not_made_one(place: Place) -> None:
    if place.location.file is not None:
        with pytest.raises(StoreUnavailable, match="is not there"):
            await check(place.location)
        assert not place.data.dir.exists()
    else:
        assert (await check(place.location)).faults == ["There are no tables of Whatsit's."]
