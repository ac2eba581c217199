"""What cannot be is said in the reader's language, by the names that the panel uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po, write_po

from bot import i18n
from bot.i18n import ENGLISH, Language
from bot.settings_ui.setting_faults import RULES, fault_sentence
from bot.store import FIELDS, Existing, GuildSettings, InvalidSettings, SettingFault, from_json

WRONG: dict[str, Any] = {
    "where": "some",
    "channels": ["x"],
    "index_channels": ["x"],
    "repost_channels": 3,
    "ignored_roles": 7,
    "how": "loudly",
    "emoji": "hi",
    "statistics": "some",
    "top": "many",
    "min_confidence": 2,
    "model": 1,
    "language": "German",
    "style": "loud",
    "buttons": ["self-destruct"],
    "member_per_minute": 0,
    "guild_per_minute": -1,
    "unlimited_roles": [0],
    "teachers": ["x"],
}


@pytest.fixture
def loud(tmp_path: Path) -> Language:
    """A language that is English in capitals, where it is translated at all."""
    with (i18n.LOCALES / "whatsit.pot").open("rb") as template:
        catalogue = read_po(template, locale="de")
    for message in catalogue:
        if isinstance(message.id, str) and message.id:
            message.string = _shouted(message.id)
    with (tmp_path / "de.po").open("wb") as file:
        write_po(file, catalogue)
    return i18n.Languages(tmp_path).of("de")


def _shouted(sentence: str) -> str:
    """In capitals, but for the names of its blanks."""
    inside, said = False, ""
    for letter in sentence:
        inside = letter == "{" or (inside and letter != "}")
        said += letter if inside else letter.upper()
    return said


def faults(wrong: dict[str, Any], existing: Existing | None = None) -> tuple[SettingFault, ...]:
    text = json.dumps({"whatsit_settings": 1, **wrong})
    with pytest.raises(InvalidSettings) as caught:
        from_json(text, defaults=GuildSettings(), existing=existing)
    return caught.value.faults


def test_every_setting_that_cannot_be_says_what_it_can_be(loud: Language) -> None:
    assert set(WRONG) == set(GuildSettings.model_fields)
    for field, wrong in WRONG.items():
        (fault,) = faults({field: wrong})
        said = fault_sentence(fault, loud)
        assert said.startswith(f"**{FIELDS[field].title.upper()}**: ")
        assert " ISN'T VALID. IT MUST BE " in said
        assert "{" not in said


def test_whatever_is_wrong_with_a_file_is_said_in_the_readers_language(loud: Language) -> None:
    here: Existing = {"model": ("m",), "language": ("en",), "channels": (), "roles": ()}
    strange = {
        "model": "other",
        "language": "ja",
        "channels": [1],
        "ignored_roles": [2],
        "unlimited_roles": [3],
    }
    found = [
        SettingFault("large", given=64),
        SettingFault("json", given="1:2"),
        SettingFault("none"),
        SettingFault("format", given=2),
        SettingFault("unknown", "x", "x"),
        *faults(strange, here),
    ]
    assert [fault_sentence(fault, loud) for fault in found] == [
        "THAT FILE IS TOO LARGE: SETTINGS TAKE AT MOST 64 KIB.",
        "THAT FILE ISN'T VALID JSON (1:2).",
        "THERE ARE NO SETTINGS OF MINE IN THAT FILE. USE ONE FROM `/settings export`.",
        "THAT FILE IS FROM ANOTHER VERSION OF ME, SO I CAN'T READ IT (FORMAT 2).",
        "THERE IS NO SETTING “x”.",
        "**CHANNELS**: NOT ON THIS SERVER: 1",
        "**IGNORED ROLES**: NOT ON THIS SERVER: 2",
        "**MODEL**: THERE IS NO MODEL “other” HERE. CHOOSE ONE OF THESE: m.",
        "**LANGUAGE**: I DON'T SPEAK “ja”. CHOOSE ONE OF THESE: English, Deutsch oder 日本語.",
        "**ROLES WITHOUT A LIMIT**: NOT ON THIS SERVER: 3",
    ]


def test_what_somebody_gave_is_shown_short_and_as_they_wrote_it() -> None:
    assert fault_sentence(SettingFault("unknown", "*", "*" * 200), ENGLISH).count("\\*") == 59
    said = fault_sentence(SettingFault("value", "top", "_x_"), ENGLISH)
    assert said.startswith('**Guesses shown**: "\\_x\\_" isn\'t valid.')


def test_a_preference_that_cannot_be_has_no_list_of_what_it_can_be() -> None:
    assert (
        fault_sentence(SettingFault("value", "delivery", "loud"), ENGLISH)
        == '**delivery**: "loud" isn\'t valid.'
    )


NUMBERS = [name for name, field in FIELDS.items() if "{most}" in RULES[field.kind]]
CHOICES = [(name, value) for name, field in FIELDS.items() for value in field.words]


@pytest.mark.parametrize("name", NUMBERS)
def test_the_limits_that_are_told_are_those_that_hold(name: str) -> None:
    least, most = FIELDS[name].least, FIELDS[name].most
    for good in (least, most):
        assert getattr(GuildSettings.model_validate({name: good}), name) == good
    for bad in (least - 1, most + 1):
        with pytest.raises(ValueError, match=name):
            GuildSettings.model_validate({name: bad})


@pytest.mark.parametrize(("name", "choice"), CHOICES)
def test_the_choices_that_are_told_are_those_there_are(name: str, choice: str) -> None:
    value = [choice] if name == "buttons" else choice
    assert getattr(GuildSettings.model_validate({name: value}), name) in (choice, (choice,))


def test_a_list_may_be_as_long_as_is_told() -> None:
    assert "500" in RULES["channels"]
    assert len(GuildSettings(channels=tuple(range(1, 501))).channels) == 500
    with pytest.raises(ValueError, match="channels"):
        GuildSettings(channels=tuple(range(1, 502)))
