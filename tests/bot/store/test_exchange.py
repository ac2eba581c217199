"""Settings as a file, and the difference between two."""

from __future__ import annotations

import json

import pytest

from bot.store import Allowed, GuildSettings, InvalidSettings, changes, difference, from_json, to_json

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


def test_ids_go_out_as_text_because_many_programs_round_them() -> None:
    assert json.loads(to_json(BUSY))["channels"] == ["12", "1234567890123456789"]


def test_a_field_left_out_is_the_default() -> None:
    assert from_json(file(top=5), defaults=GuildSettings(language="de")) == GuildSettings(
        top=5, language="de"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 50_000, "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ('{"whatsit_settings": 1, "min_confidence": NaN}', "not JSON"),
        ("[1, 2]", "holds no settings"),
        ('{"top": 3}', "holds no settings"),
        ('{"whatsit_settings": 2}', "format 2; this Whatsit reads format 1"),
        (file(top=50), "top: cannot be 50: "),
        (file(topp=5), "topp: there is no such setting"),
        (file(channels=["x" * 200]), "…"),
        (file(emoji=" " * 70_000), "larger than 64 KiB"),
    ],
)
def test_a_file_that_is_none_says_why(text: str | bytes, said: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        from_json(text, defaults=GuildSettings())
    assert said in str(caught.value)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        from_json(file(top=0, how="loudly", min_confidence=2), defaults=GuildSettings())
    assert [fault.partition(":")[0] for fault in caught.value.faults] == ["how", "top", "min_confidence"]


def test_what_does_not_exist_here_is_refused() -> None:
    here = Allowed(models=["efficientnet_lite0"], languages=["en", "de"], channels=[12], roles=[1])
    with pytest.raises(InvalidSettings) as caught:
        from_json(to_json(BUSY), defaults=GuildSettings(), allowed=here)
    assert caught.value.faults == (
        "model: there is no mobilenet_v2 here. There are: efficientnet_lite0",
        "language: there is no ja here. There are: de, en",
        "channels: not of this server: 1234567890123456789",
        "unlimited_roles: not of this server: 77",
    )
    there = Allowed(models=["mobilenet_v2"], languages=["ja"], channels=BUSY.channels, roles=[77, 78])
    assert from_json(to_json(BUSY), defaults=GuildSettings(), allowed=there) == BUSY


def test_a_difference_names_what_changes_and_nothing_else() -> None:
    assert difference(BUSY, BUSY) == ()
    after = BUSY.model_copy(update={"top": 3, "channels": (12, 13), "language": None, "buttons": ()})
    assert [str(change) for change in difference(BUSY, after)] == [
        "channels: + <#13>, - <#1234567890123456789>",
        "top: 5 → 3",
        "language: ja → default",
        "buttons: - more",
    ]
    assert changes(BUSY, after) == {"channels": (12, 13), "top": 3, "language": None, "buttons": ()}
