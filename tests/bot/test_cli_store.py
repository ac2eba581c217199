"""`whatsit store`: what an owner types, and reads."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from bot.cli import main
from bot.store import GuildSettings, Store
from config.settings import Data, StoreSettings


async def _open(folder: Path, *, alone: bool) -> Store:
    return await Store.open(StoreSettings(), Data(dir=folder), guild_defaults=GuildSettings(), alone=alone)


async def _set_top(folder: Path, top: int) -> None:
    store = await _open(folder, alone=False)
    await store.guilds.update(1, {"top": top})
    await store.close()


async def _top(folder: Path) -> int:
    store = await _open(folder, alone=False)
    found = (await store.guilds.get(1)).top
    await store.close()
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a bot whose store has one setting."""
    folder = tmp_path / "data"
    monkeypatch.setenv("WHATSIT_DATA__DIR", str(folder))
    asyncio.run(_set_top(folder, 5))
    return folder


def test_backup_and_restore(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backup = str(tmp_path / "backup")
    assert main(["store", "backup", backup]) == 0
    assert re.match(
        rf"{backup} has \d+ rows of {folder}/whatsit.sqlite3, 0\.\d MB\.", capsys.readouterr().out
    )
    asyncio.run(_set_top(folder, 7))
    assert main(["store", "restore", backup]) == 0
    said = capsys.readouterr().out
    assert asyncio.run(_top(folder)) == 5
    (old,) = re.findall(r"What it was before is in (.+)\.\n", said)
    assert main(["store", "backup", backup]) == 1
    assert "is there already" in capsys.readouterr().err
    assert main(["store", "restore", old]) == 0
    assert asyncio.run(_top(folder)) == 7


def test_restore_waits_for_no_bot_that_holds_the_store(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = str(tmp_path / "backup")
    assert main(["store", "backup", backup]) == 0

    async def while_a_bot_runs() -> int:
        store = await _open(folder, alone=True)
        try:
            return await asyncio.to_thread(main, ["store", "restore", backup])
        finally:
            await store.close()

    assert asyncio.run(while_a_bot_runs()) == 1
    assert "is used by a bot. Stop every bot on it" in capsys.readouterr().err


def test_check_says_what_is_in_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "check"]) == 0
    first, *rows = capsys.readouterr().out.splitlines()
    expected = r"whatsit.sqlite3 is sound: version \d{4}, 0\.\d MB, \d+ free pages of 4,096 bytes\."
    assert re.fullmatch(f"{folder}/{expected}", first)
    assert {row.split()[0]: row.split()[1] for row in rows}["guild_setting"] == "1"
    assert main(["store", "check", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["sound"], found["rows"]["guild_setting"]) == (True, 1)


def test_check_fails_for_a_store_that_is_not_sound(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "whatsit.sqlite3").write_bytes(b"no database" * 100)
    assert main(["store", "check"]) == 1
    assert "is NOT sound" in capsys.readouterr().out


def test_move_says_what_to_do_next(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "other" / "moved.sqlite3"
    assert main(["store", "move", f"sqlite:///{target}"]) == 0
    said = capsys.readouterr().out
    assert "guild_setting: 1" in said
    assert f"{target} has all" in said
    assert "store.url" in said
    assert asyncio.run(_top(folder)) == 5
    target.rename(folder / "whatsit.sqlite3")
    assert asyncio.run(_top(folder)) == 5


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (["move", "mysql://x"], 2, "Allowed: postgresql:// and sqlite:///"),
        (["move", "nonsense"], 2, "is no address"),
        (["restore", "/nonexistent"], 1, "/nonexistent cannot be read: No such file or directory."),
        (["backup", "/nonexistent/x"], 1, "/nonexistent/x cannot be written: No such file or directory."),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_done_is_named(
    typed: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["store", *typed]) == code
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_dump_of_a_postgresql_is_no_sqlite_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dump").write_bytes(b"PGDMP and so on")
    assert main(["store", "restore", str(tmp_path / "dump")]) == 1
    assert "is a dump of a PostgreSQL, and the store is a SQLite file" in capsys.readouterr().err


def test_a_sqlite_backup_is_no_dump(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["store", "backup", str(tmp_path / "backup")]) == 0
    monkeypatch.setenv("WHATSIT_STORE__URL", "postgresql://nobody@127.0.0.1:9/none")
    assert main(["store", "restore", str(tmp_path / "backup")]) == 1
    assert "`whatsit store move` brings it here" in capsys.readouterr().err
