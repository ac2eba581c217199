"""`whatsit feedback`: what an owner reads of "Was this right?"."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot.cli import main
from bot.store import GuildSettings, Store
from config.settings import Data, StoreSettings


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store in which three people judged two answers, one in a server and one in a direct message."""

    async def judge() -> None:
        store = await Store.open(StoreSettings(), Data(dir=tmp_path), guild_defaults=GuildSettings())
        for user, right, guild in ((1, True, 6), (2, False, 6), (3, False, None)):
            await store.feedback.give(
                answer_id=2**62 + user,
                image=0,
                user_id=user,
                guild_id=guild,
                model="mobilenet_v2",
                label="tabby",
                certainty="sure" if guild else "maybe",
                right=right,
                said=None if right else "ly\x1bnx",
            )
        await store.close()

    asyncio.run(judge())
    monkeypatch.setenv("WHATSIT_DATA__DIR", str(tmp_path))


@pytest.mark.usefixtures("judged")
def test_it_says_how_often_each_name_was_right_and_what_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feedback"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "All answers that were judged: 1 of 3 right",
        "Said as sure: 1 of 2 right",
        "Said as maybe: 0 of 1 right",
        "tabby: 1 of 3 right; it was ly\\x1bnx (2)",
    ]


@pytest.mark.usefixtures("judged")
def test_as_json_it_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feedback", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["all"] == {"right": 1, "wrong": 2}
    assert said["labels"] == {"tabby": {"right": 1, "wrong": 2, "instead": {"ly\x1bnx": 2}}}


def test_a_store_that_cannot_be_read_is_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "whatsit.sqlite3").write_bytes(b"no database" * 100)
    monkeypatch.setenv("WHATSIT_DATA__DIR", str(tmp_path))
    assert main(["feedback"]) == 1
    assert "whatsit.sqlite3" in capsys.readouterr().err
