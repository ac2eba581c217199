"""Settings of servers and preferences of members: read once, changed field by field."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.store import (
    FIELDS,
    PAGES,
    GuildSettings,
    InvalidSettings,
    MemberPreferences,
    Store,
    StoreUnavailable,
    defaults,
)
from bot.store import store as store_module
from bot.store.database import connect
from config.settings import Answers, Watch
from tests.bot.store.conftest import Place
from tests.stores import statements


async def test_a_server_that_changed_nothing_follows_the_owner(place: Place) -> None:
    owners = defaults(Watch(channels=(7,)), Answers(top=4, min_confidence=0.5))
    async with place.opened(guild_defaults=owners) as store:
        settings = await store.guilds.get(1)
        assert (settings.where, settings.channels, settings.top) == ("only", (7,), 4)
        await store.guilds.update(1, {"language": "ja"})
    async with place.opened(guild_defaults=defaults(Watch(), Answers(top=5))) as store:
        settings = await store.guilds.get(1)
        assert (settings.where, settings.top, settings.language) == ("all", 5, "ja")


async def test_a_change_is_there_at_once_and_after_a_restart(place: Place) -> None:
    async with place.opened() as store:
        after = await store.guilds.update(1, {"channels": {30, 20}, "where": "except", "min_confidence": 0.4})
        assert after == await store.guilds.get(1)
        assert (await store.guilds.get(2)) == GuildSettings()
    async with place.opened() as store:
        assert await store.guilds.get(1) == after
        assert after.channels == (20, 30)


async def test_reading_again_asks_the_database_nothing(store: Store) -> None:
    await store.guilds.update(1, {"top": 5})
    await store.guilds.get(2)
    await store.members.get(3)
    with statements() as seen:
        for _ in range(3):
            assert (await store.guilds.get(1)).top == 5
            assert (await store.guilds.get(2)).top == 3
            assert (await store.members.get(3)).delivery == "default"
    assert seen == []


async def test_many_first_readers_at_once_ask_once(store: Store) -> None:
    with statements() as seen:
        await asyncio.gather(*(store.guilds.get(1) for _ in range(20)))
    assert len(seen) == 1


async def test_two_moderators_at_once_do_not_undo_each_other(store: Store) -> None:
    await asyncio.gather(
        store.guilds.update(1, {"top": 7}),
        store.guilds.update(1, {"where": "only", "channels": [5]}),
        store.guilds.update(1, {"language": "de"}),
        store.guilds.get(1),
    )
    settings = await store.guilds.get(1)
    assert (settings.top, settings.where, settings.channels, settings.language) == (7, "only", (5,), "de")
    store.guilds.forget(1)
    assert await store.guilds.get(1) == settings


async def test_two_processes_at_once_do_not_undo_each_other(place: Place) -> None:
    async with place.opened() as one, place.opened() as other:
        await one.guilds.get(1)
        await other.guilds.get(1)
        await one.guilds.update(1, {"top": 7})
        await other.guilds.update(1, {"language": "de"})
        one.guilds.forget(1)
        settings = await one.guilds.get(1)
        assert (settings.top, settings.language) == (7, "de")


async def test_a_change_that_builds_on_what_stands_misses_no_other(store: Store) -> None:
    async def add(channel: int) -> None:
        await store.guilds.update(1, lambda now: {"channels": (*now.channels, channel)})

    await asyncio.gather(*(add(channel) for channel in range(1, 21)))
    assert (await store.guilds.get(1)).channels == tuple(range(1, 21))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"top": 11}, "top: "),
        ({"top": True}, "top: "),
        ({"top": None}, "top: "),
        ({"min_confidence": float("nan")}, "min_confidence: "),
        ({"where": "nowhere"}, "where: "),
        ({"channels": ["general"]}, "channels: "),
        ({"channels": range(1, 600)}, "channels: "),
        ({"emoji": "hi"}, "emoji: "),
        ({"emoji": "<:cat:12>"}, "emoji: "),
        ({"language": "German"}, "language: "),
        ({"buttons": ["self-destruct"]}, "buttons: "),
        ({"guild_per_minute": 0}, "guild_per_minute: "),
        (
            {"colour": "red"},
            "unknown",
        ),  # a name that is none of ours may be anything, and this goes to the log
    ],
)
async def test_what_cannot_be_is_refused_by_name_and_changes_nothing(
    sqlite_place: Place, changes: dict[str, object], says: str
) -> None:
    async with sqlite_place.opened() as store:
        before = await store.guilds.update(1, {"top": 5})
        with pytest.raises(InvalidSettings, match=f"^{says}"):
            await store.guilds.update(1, {"language": "ja", **changes})
        assert await store.guilds.get(1) == before
        store.guilds.forget(1)
        assert await store.guilds.get(1) == before


@pytest.mark.parametrize("emoji", ["🔍", "👀", "1️⃣", "ℹ️", "👩🏽‍🚀", "🇯🇵", "<:cat:123456789012345678>"])  # noqa: RUF001
def test_emojis_of_every_kind_may_be_set(emoji: str) -> None:
    assert GuildSettings(emoji=emoji).emoji == emoji


async def test_a_reset_takes_the_named_fields_back_or_all(place: Place) -> None:
    async with place.opened() as store:
        await store.guilds.update(1, {"top": 5, "min_confidence": 0.9, "how": "silent", "emoji": "👀"})
        settings = await store.guilds.reset(1, PAGES["how"])
        assert settings == GuildSettings(top=5, min_confidence=0.9) == await store.guilds.get(1)
    async with place.opened() as store:
        assert await store.guilds.get(1) == settings
        await store.guilds.reset(1)
        assert await store.guilds.get(1) == GuildSettings()
        assert await place.rows("SELECT * FROM guild_setting") == []


def test_every_setting_is_in_the_table_and_on_one_page() -> None:
    on_pages = [name for names in PAGES.values() for name in names]
    assert on_pages == list(FIELDS) == list(GuildSettings.model_fields)


async def test_a_stored_value_that_is_not_usable_any_more_is_named_and_its_default_holds(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with place.opened() as store:
        await store.guilds.update(1, {"top": 5, "language": "ja"})
        async with store._database.transaction() as connection:
            await connection.exec_driver_sql("UPDATE guild_setting SET value = '50' WHERE field = 'top'")
    async with place.opened() as store:
        with caplog.at_level(logging.WARNING, "bot.store"):
            settings = await store.guilds.get(1)
        assert (settings.top, settings.language) == (3, "ja")
    assert "guild_id 1: the stored top is not usable" in caplog.text


async def test_the_old_names_of_buttons_are_still_read(place: Place) -> None:
    async with place.opened() as store:
        await store.guilds.update(4, {"buttons": ["more"]})
    assert await place.rows("SELECT field FROM guild_setting") == [("buttons",)]
    async with connect(place.location, pooled=False).begin() as connection:
        await connection.exec_driver_sql("""UPDATE guild_setting SET value = '["direct", "right"]'""")
    async with place.opened() as store:
        assert (await store.guilds.get(4)).buttons == ("dm_button", "feedback")


async def test_a_member_may_be_left_alone_everywhere(place: Place) -> None:
    async with place.opened() as store:
        assert not (await store.members.get(9)).leave_alone
        await store.members.update(9, {"leave_alone": True})
        await store.members.update(9, {"delivery": "direct"})
    async with place.opened() as store:
        assert await store.members.get(9) == MemberPreferences(leave_alone=True, delivery="direct")


async def test_memory_holds_only_the_members_met_last(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MEMBERS_IN_MEMORY", 3)
    async with place.opened() as store:
        await store.members.update(1, {"leave_alone": True})
        for member in (2, 3, 1, 4, 5):
            await store.members.get(member)
        with statements() as seen:
            for member in (1, 4, 5):
                await store.members.get(member)
            assert seen == []
            assert (await store.members.get(1)).leave_alone
            await store.members.get(2)
            assert len(seen) == 1


async def test_a_change_that_could_not_be_kept_is_not_believed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.guilds.update(1, {"top": 5})

    async def full(*_: object) -> None:
        raise StoreUnavailable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store._database, "write_many", full)
        with pytest.raises(StoreUnavailable):
            await store.guilds.update(1, {"top": 7})
    assert (await store.guilds.get(1)).top == 5


def test_where_says_which_channels_are_watched() -> None:
    thread, channel, category = 1, 2, 3
    assert GuildSettings().watches(channel)
    only = GuildSettings(where="only", channels=(channel,))
    assert only.watches(channel)
    assert only.watches(thread, channel)
    assert not only.watches(99)
    assert not GuildSettings(where="except", channels=(category,)).watches(thread, channel, category)
    assert GuildSettings(where="except", channels=(category,)).watches(99)
    assert not GuildSettings(where="only").watches(channel)
