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
        "Said outright: 1 of 2 right",
        "Said with “maybe”: 0 of 1 right",
        "tabby: 1 of 3 right; it was ly nx (2)",
    ]


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize(
    ("typed", "variables"),
    [
        (["--lang", "de"], {}),
        (["--lang", "de_AT.UTF-8"], {"LC_ALL": "ja_JP.UTF-8"}),
        ([], {"LC_ALL": "de_DE.UTF-8", "LANG": "ja_JP.UTF-8"}),
        ([], {"LC_ALL": "", "LC_MESSAGES": "de_CH", "LANG": "ja_JP.UTF-8"}),
        ([], {"LC_ALL": "", "LANG": "de"}),
    ],
)
def test_it_speaks_the_language_that_is_typed_or_else_the_terminals(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    typed: list[str],
    variables: dict[str, str],
) -> None:
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main([*typed, "feedback"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Getigerte Katze: 1 von 3 richtig; es war ly nx (2)"


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8", "tlh_KL.UTF-8", "en_GB.UTF-8", "no such thing"])
def test_a_locale_that_is_not_spoken_is_english(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, locale: str
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    assert main(["feedback"]) == 0
    assert capsys.readouterr().out.startswith("All answers")


def test_a_typed_language_that_is_not_spoken_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "tlh", "feedback"]) == 2
    assert "Choose one of en, de, ja" in capsys.readouterr().err


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
