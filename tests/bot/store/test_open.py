"""Opening a store: made where there is none, and a clear word where it isn't valid."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import config.settings
from bot.store import StoreDamaged, StoreError, StoreTooNew, StoreUnavailable
from bot.store.location import locate
from config.settings import ConfigError, Data
from tests.bot.store.conftest import Place


@contextmanager
def unprivileged() -> Iterator[None]:
    """As somebody whom write protection stops, which root is not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def file_of(place: Place) -> Path:
    file = place.location.file
    assert file is not None
    return file


async def refused(place: Place, error: type[StoreError]) -> str:
    with pytest.raises(error) as caught:
        async with place.opened():
            pass
    return str(caught.value)


async def test_the_first_start_makes_the_store_and_the_second_finds_it(place: Place) -> None:
    async with place.opened() as store:
        await store.notes.set("commands", "abc")
    async with place.opened() as store:
        assert await store.notes.get("commands") == "abc"
        assert await store.notes.get("nothing") is None


async def test_only_the_owner_may_read_the_file_and_its_log(sqlite_place: Place) -> None:
    async with sqlite_place.opened() as store:
        await store.notes.set("commands", "abc")
        folder = file_of(sqlite_place).parent
        files = {file.name: oct(file.stat().st_mode & 0o777) for file in folder.iterdir()}
    names = ("whatsit.sqlite3", "whatsit.sqlite3-wal", "whatsit.sqlite3-shm")
    assert files == dict.fromkeys(names, "0o600")
    assert folder.stat().st_mode & 0o077 == 0


async def test_a_usual_start_does_not_load_the_migration_tool(sqlite_place: Place) -> None:
    async with sqlite_place.opened():
        pass
    program = """
import asyncio, sys
from pathlib import Path
from bot.store import GuildSettings, Store
from config.settings import Data, StoreSettings as Settings

async def main() -> None:
    store = await Store.open(Settings(), Data(dir=Path(sys.argv[1])), guild_defaults=GuildSettings())
    await store.close()

asyncio.run(main())
print(sorted({"alembic", "asyncpg", "numpy", "sqlalchemy"} & set(sys.modules)))
"""
    folder = sqlite_place.data.dir
    ran = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, folder, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await ran.communicate()
    assert (ran.returncode, printed.decode().strip()) == (0, "['sqlalchemy']")


def enterable(folder: Path, mode: int = 0o755) -> None:
    """pytest's folders are closed to others: let them in, to meet the protection that the test is about."""
    for each in list(folder.parents)[:2]:
        each.chmod(0o755)
    folder.chmod(mode)


async def test_a_folder_that_may_not_be_written_is_named(sqlite_place: Place, tmp_path: Path) -> None:
    enterable(tmp_path, 0o555)
    with unprivileged():
        said = await refused(sqlite_place, StoreUnavailable)
    enterable(tmp_path)
    assert str(file_of(sqlite_place)) in said
    assert "Permission denied" in said
    assert "data.dir" in said


async def test_a_file_that_may_not_be_written_is_named(sqlite_place: Place, tmp_path: Path) -> None:
    async with sqlite_place.opened():
        pass
    file = file_of(sqlite_place)
    enterable(tmp_path)
    file.parent.chmod(0o755)
    file.chmod(0o444)
    with unprivileged():
        said = await refused(sqlite_place, StoreUnavailable)
    assert str(file) in said
    assert "the right to read and write" in said


async def test_a_folder_where_the_file_should_be_is_named(sqlite_place: Place) -> None:
    file_of(sqlite_place).mkdir(parents=True)
    assert str(file_of(sqlite_place)) in await refused(sqlite_place, StoreUnavailable)


@pytest.mark.parametrize("where", ["all of it", "its first page", "a page inside"])
async def test_a_damaged_file_is_named_with_a_way_out(sqlite_place: Place, where: str) -> None:
    async with sqlite_place.opened() as store:
        for number in range(500):
            await store.work.accept_message(message_id=number + 1, channel_id=1, guild_id=1, user_id=1)
    file = file_of(sqlite_place)
    content = bytearray(file.read_bytes())
    match where:
        case "all of it":
            content = bytearray(b"this was a letter, once\n" * 500)
        case "its first page":
            content[:100] = os.urandom(100)
        case _:
            content[4096 : len(content) - 4096] = os.urandom(len(content) - 8192)
    file.write_bytes(content)
    said = await refused(sqlite_place, StoreDamaged)
    assert str(file) in said
    assert "backup" in said
    assert ".recover" in said
    assert file.read_bytes() == content, "what may still be saved is left as it is"


async def test_another_programs_database_is_left_alone(sqlite_place: Place) -> None:
    file = file_of(sqlite_place)
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    before = file.read_bytes()
    assert "another program's database" in await refused(sqlite_place, StoreDamaged)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("version", "error", "word"), [("9999", StoreTooNew, "Update Whatsit"), ("pear", StoreDamaged, "'pear'")]
)
async def test_a_version_that_this_code_does_not_know_is_refused(
    place: Place, version: str, error: type[StoreError], word: str
) -> None:
    async with place.opened() as store, store._database.transaction() as connection:
        await connection.exec_driver_sql(f"UPDATE whatsit_version SET version_num = '{version}'")  # noqa: S608 - the test's own
    said = await refused(place, error)
    assert str(place.location) in said
    assert word in said


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("nonsense", "no address"),
        ("postgresql://user:hunter2@host:port/db", "no address"),
        ("mysql://user:hunter2@host/db", "mysql://"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
    ],
)
def test_an_unusable_address_is_a_fault_of_the_configuration(tmp_path: Path, url: str, word: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(word)) as caught:
        locate(config.settings.StoreSettings(url=url), Data(dir=tmp_path))
    assert "store.url" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_address_means_what_it_says(tmp_path: Path) -> None:
    data = Data(dir=tmp_path)
    assert locate(config.settings.StoreSettings(), data).file == tmp_path / "whatsit.sqlite3"
    elsewhere = config.settings.StoreSettings(url=f"sqlite:///{tmp_path}/other.db")
    assert locate(elsewhere, data).file == tmp_path / "other.db"
    home = locate(config.settings.StoreSettings(url="sqlite:///~/other.db"), data)
    assert home.file == Path.home() / "other.db"
    server = locate(config.settings.StoreSettings(url="postgres://me:hunter2@db.example/whatsit"), data)
    assert server.file is None
    assert server.url.drivername == "postgresql+asyncpg"
    assert str(server) == "postgresql://me:***@db.example/whatsit"


async def test_a_postgresql_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://me:hunter2@127.0.0.1:1/whatsit"
    said = await refused(Place(config.settings.StoreSettings(url=url), Data(dir=tmp_path)), StoreUnavailable)
    assert "me:***@127.0.0.1:1/whatsit" in said
    assert "Check that PostgreSQL runs" in said
    assert "hunter2" not in said


async def test_a_postgresql_database_that_is_not_there_is_named(postgresql_place: Place) -> None:
    url = f"{postgresql_place.store.url}_not_there"
    place = Place(config.settings.StoreSettings(url=url), postgresql_place.data)
    assert "createdb" in await refused(place, StoreUnavailable)


async def test_a_missing_driver_is_named_with_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    place = Place(config.settings.StoreSettings(url="postgresql://db.example/whatsit"), Data(dir=tmp_path))
    assert "pip install whatsit[postgres]" in await refused(place, StoreUnavailable)
