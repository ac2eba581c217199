"""`whatsit policy`: texts for Discord's developer portal, which say what the settings and the store do."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from string import Template

import pytest

from bot.cli import main
from bot.cli.policy import FOLDER, NO_CONTACT, TEXTS, text
from bot.i18n import ENGLISH, Language, languages
from bot.store import Retention
from config.settings import Settings

LANGUAGES = ("en", *languages)


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WHATSIT_")]:
        monkeypatch.delenv(name)


def source(name: str, language: str) -> str:
    return (FOLDER / f"{name}.{language}.md").read_text("utf-8")


def spoken(name: str) -> Language:
    return ENGLISH if name == "en" else languages.of(name)


def printed(name: str, language: str = "en", **sections: object) -> str:
    return text(name, Settings.model_validate(sections), spoken(language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TEXTS)
def test_every_language_has_the_same_parts(name: str, language: str) -> None:
    def outline(of: str) -> list[str]:
        parts = re.findall(r"(?m)^(#+|-|@[\w-]+) |(<!-- \w+ -->)|(`/[\w ]+`)|(\$[a-z_]+)", source(name, of))
        return sorted("".join(part) for part in parts)

    assert outline(language) == outline("en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_whole(name: str, language: str) -> None:
    for keep_days in (0, 1, 30):
        said = printed(name, language, privacy={"contact": "me@example.org", "keep_days": keep_days})
        assert "me@example.org" in said
        assert not re.search(r"[$@{}](?!example)\w|<!--|duration", said), said
        assert said.startswith("# ")
        assert said.endswith("\n")


def test_the_periods_are_those_of_the_store() -> None:
    kept = Retention()
    assert (kept.answers, kept.feedback, kept.sums) == tuple(timedelta(days=days) for days in (90, 365, 31))
    said = printed("privacy")
    for period in ("90 days", "365 days", "31 days", "1 hour at most", "15 minutes at most"):
        assert period in said
    assert "90 Tage" in printed("privacy", "de")
    assert "15 分" in printed("privacy", "ja")


def test_they_follow_the_settings() -> None:
    assert "is erased at once.\n\nOf a channel" in printed("privacy")
    assert "is erased after 7 days." in printed("privacy", privacy={"keep_days": 7})
    assert "the last 5 pictures" in printed("privacy", queue={"verdicts": 5})
    assert "What is erased is overwritten.\n" in printed("privacy")
    postgresql = {"url": "postgresql://whatsit@localhost/whatsit"}
    assert "is overwritten as other data comes.\n" in printed("privacy", store=postgresql)
    assert "has others of the same operator look" not in printed("privacy")
    backend, nodes = {"backend": "cluster"}, {"urls": ["http://10.0.0.2:8720"]}
    assert "- That machine has others of the same operator look" in printed(
        "privacy", inference=backend, cluster=nodes
    )


def test_both_are_printed_and_a_missing_contact_is_pointed_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy"]) == 0
    out, err = capsys.readouterr()
    assert re.findall("(?m)^# .*", out) == ["# Privacy policy of Whatsit", "# Terms of service of Whatsit"]
    assert NO_CONTACT in out
    assert "privacy.contact" in err


def test_one_in_another_language_with_a_contact(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHATSIT_PRIVACY__CONTACT", "me@example.org")
    assert main(["--lang", "de", "policy", "terms"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("# Nutzungsbedingungen von Whatsit\n")
    assert "me@example.org" in out
    assert "privacy.contact" not in err


def test_a_language_without_such_a_text_is_answered_in_english() -> None:
    class Unwritten(Language):
        def __init__(self) -> None:
            self.name, self.locale = "eo", ENGLISH.locale

        def gettext(self, sentence: str) -> str:
            return sentence

    assert text("terms", Settings(), Unwritten()).startswith("# Terms of service")


def test_bad_settings_are_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHATSIT_PRIVACY__KEEP_DAYS", "-1")
    assert main(["policy"]) == 2
    assert "privacy.keep_days" in capsys.readouterr().err


def test_no_dollar_is_left_by_mistake() -> None:
    for file in FOLDER.glob("*.md"):
        assert Template(file.read_text("utf-8")).is_valid(), file.name
