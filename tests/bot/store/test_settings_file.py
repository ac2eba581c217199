"""Settings as a file, and the difference between two."""

from __future__ import annotations

import json

import pytest

from bot.store import (
    Existing,
    GuildSettings,
    InvalidSettings,
    SettingChange,
    SettingFault,
    difference,
    from_json,
    to_json,
    without_gone,
)

BUSY = GuildSettings(
    where="only",
    channels=(1234567890123456789, 12),
    how="react",
    emoji="👀",
    top=5,
    model="mobilenet_v2",
    language="ja",
    buttons=("more",),
    guild_per_minute=60,
    unlimited_roles=(77,),
)


def file(**fields: object) -> str:
    return json.dumps({"whatsit_settings": 1, **fields})


@pytest.mark.parametrize("settings", [GuildSettings(), BUSY])
def test_what_goes_out_comes_in_again(settings: GuildSettings) -> None:
    assert from_json(to_json(settings), defaults=GuildSettings(top=9)) == settings


def test_a_file_with_the_old_names_of_buttons_is_read() -> None:
    read = from_json(file(buttons=["more", "direct", "right"]), defaults=GuildSettings())
    assert read.buttons == ("more", "dm_button", "feedback")


def test_ids_go_out_as_text_because_many_programs_round_them() -> None:
    assert json.loads(to_json(BUSY))["channels"] == ["12", "1234567890123456789"]


def test_a_field_left_out_is_the_default() -> None:
    assert from_json(file(top=5), defaults=GuildSettings(language="de")) == GuildSettings(
        top=5, language="de"
    )


@pytest.mark.parametrize(
    ("text", "kind", "field", "given"),
    [
        ("", "json", "", "1:0"),
        ("{\n!", "json", "", "2:1"),
        ("[" * 50_000, "json", "", "1:202"),
        (b"\xff\xfe", "json", "", "1:1"),
        ('{"whatsit_settings": 1, "min_confidence": NaN}', "json", "", "1:43"),
        ("[1, 2]", "none", "", None),
        ('{"top": 3}', "none", "", None),
        ('{"whatsit_settings": 2}', "format", "", 2),
        (file(top=50), "value", "top", 50),
        (file(topp=5), "unknown", "topp", "topp"),
        (file(channels=["x" * 200]), "value", "channels", "x" * 200),
        (file(emoji=" " * 70_000), "large", "", 64),
    ],
)
def test_a_file_that_is_none_says_why(text: str | bytes, kind: str, field: str, given: object) -> None:
    with pytest.raises(InvalidSettings) as caught:
        from_json(text, defaults=GuildSettings())
    (fault,) = caught.value.faults
    assert (fault.kind, fault.field, fault.given) == (kind, field, given)
    assert len(str(caught.value)) < 300


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        from_json(file(top=0, how="loudly", min_confidence=2), defaults=GuildSettings())
    assert [fault.field for fault in caught.value.faults] == ["how", "top", "min_confidence"]


def test_what_does_not_exist_here_is_refused() -> None:
    here: Existing = {
        "model": ["efficientnet_lite0"],
        "language": ["en", "de"],
        "channels": [12],
        "roles": [1],
    }
    with pytest.raises(InvalidSettings) as caught:
        from_json(to_json(BUSY), defaults=GuildSettings(), existing=here)
    assert caught.value.faults == (
        SettingFault("missing", "channels", (1234567890123456789,)),
        SettingFault("missing", "model", "mobilenet_v2", existing=("efficientnet_lite0",)),
        SettingFault("missing", "language", "ja", existing=("en", "de")),
        SettingFault("missing", "unlimited_roles", (77,)),
    )
    there: Existing = {
        "model": ["mobilenet_v2"],
        "language": ["ja"],
        "channels": BUSY.channels,
        "roles": [77, 78],
    }
    assert from_json(to_json(BUSY), defaults=GuildSettings(), existing=there) == BUSY


def test_a_difference_names_what_changes_and_nothing_else() -> None:
    assert difference(BUSY, BUSY) == ()
    after = BUSY.model_copy(update={"top": 3, "channels": (12, 13), "language": None, "buttons": ()})
    assert difference(BUSY, after) == (
        SettingChange("channels", (12, 1234567890123456789), (12, 13)),
        SettingChange("top", 5, 3),
        SettingChange("language", "ja", None),
        SettingChange("buttons", ("more",), ()),
    )


def test_channels_and_roles_that_are_gone_are_left_out_as_far_as_is_known() -> None:
    here: Existing = {"model": (), "channels": [12], "roles": []}
    assert without_gone(BUSY, here) == BUSY.model_copy(update={"channels": (12,), "unlimited_roles": ()})
    assert without_gone(BUSY, {}) == BUSY
