"""What the store remembers besides settings and open work, and how it forgets."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import discord
import pytest
from sqlalchemy import select

from bot.store import GuildSettings, Retention, Store, StoreUnavailable, seen
from bot.store.indexed_images import NewImage
from bot.store.tables import Base, Meta
from tests.bot.store.conftest import Place


def made(place: Place, **ago: float) -> int:
    """The id of a message of that age."""
    return discord.utils.time_snowflake(place.clock() - timedelta(**ago))


async def test_what_was_seen_last_moves_forward_only_and_outlives_a_restart(place: Place) -> None:
    old, new, newest = (made(place, minutes=minutes) for minutes in (3, 2, 1))
    async with place.opened() as store:
        store.seen.saw(1, 10, new)
        store.seen.saw(1, 10, old)
        store.seen.saw(1, 11, old)
        store.seen.saw(2, 20, old)
        assert await store.seen.of(1) == {10: new, 11: old}
        assert await place.rows("SELECT * FROM cursor") == [], "not written one by one"
    async with place.opened() as store:
        assert await store.seen.of(1) == {10: new, 11: old}
        store.seen.saw(1, 10, old)
        store.seen.saw(1, 11, newest)
        await store.seen.flush()
        assert await store.seen.of(1) == {10: new, 11: newest}
        await store.seen.forget_channel(11)
        assert await store.seen.of(1) == {10: new}


async def test_what_was_seen_is_written_soon_without_being_asked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "FLUSH_AFTER", 0.05)
    async with place.opened() as store:
        for message in range(100):
            store.seen.saw(1, 10, made(place) + message)
        await place.becomes("SELECT message_id FROM cursor", [(made(place) + 99,)])


async def test_what_could_not_be_written_is_written_the_next_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        store.seen.saw(1, 11, 6)  # meanwhile
        raise StoreUnavailable("the disk is full")

    store.seen.saw(1, 10, 5)
    with monkeypatch.context() as patch:
        patch.setattr(store._database, "write_many", full)
        with pytest.raises(StoreUnavailable):
            await store.seen.flush()
    await store.seen.flush()
    assert await store.seen.of(1) == {10: 5, 11: 6}
    store.seen.saw(1, 10, 7)
    store.seen.saw(2, 20, 7)
    await store.seen.forget_guild(1)
    assert await store.seen.of(1) == {}
    assert await store.seen.of(2) == {20: 7}


async def test_a_picture_finds_its_answer_and_an_answer_its_pictures(store: Store) -> None:
    rest = {"channel_id": 5, "guild_id": 6, "user_id": 7}
    await store.answers.add(source_ids=[1, 2], answer_id=100, **rest)
    await store.answers.add(source_ids=[3], answer_id=101, **rest)
    bulk = await store.answers.to(range(1, 2000))
    assert [(answer.source_id, answer.answer_id) for answer in bulk] == [(1, 100), (2, 100), (3, 101)]
    assert [answer.source_id for answer in await store.answers.sources(100)] == [1, 2]
    await store.answers.forget(100, 999)
    assert [answer.answer_id for answer in await store.answers.to([1, 2, 3])] == [101]
    assert await store.answers.sources(100) == []


async def test_an_answer_knows_which_images_it_names_and_may_lose_one_of_its_pictures(store: Store) -> None:
    rest = {"channel_id": 5, "guild_id": 6, "user_id": 7}
    await store.work.answered(1, answer_id=100, images=42, **rest)
    await store.answers.add(source_ids=[2], answer_id=100, images=2**63 - 1, **rest)
    await store.answers.revise(1, 100, 43)
    assert [answer.images for answer in await store.answers.sources(100)] == [43, 2**63 - 1]
    await store.answers.forget_sources(100, [1, 3])
    assert [answer.source_id for answer in await store.answers.sources(100)] == [2]


async def test_an_opinion_is_one_a_person_and_may_change(store: Store) -> None:
    give = partial(
        store.feedback.give,
        answer_id=100,
        image=0,
        guild_id=6,
        model="mobilenet_v2",
        label="tabby",
        certainty="sure",
    )
    await give(user_id=1, right=True)
    await give(user_id=2, right=False, said="  a lynx " + "!" * 200)
    await give(user_id=1, right=False)
    one, two = await store.feedback.on(100)
    assert (one.user_id, one.right, one.said) == (1, False, None)
    assert (two.user_id, two.right) == (2, False)
    assert two.said is not None
    assert two.said.startswith("a lynx !")
    assert len(two.said) == 100
    assert len(await store.feedback.of_guild(6)) == 2
    assert await store.feedback.of_guild(7) == []


async def test_opinions_are_counted_by_name_and_by_how_surely_it_was_said(store: Store) -> None:
    give = partial(store.feedback.give, answer_id=100, guild_id=6, model="mobilenet_v2", user_id=1)
    await give(image=0, label="tabby", certainty="sure", right=True)
    await give(image=1, label="tabby", certainty="maybe", right=False, said="lynx")
    await give(image=2, label="tabby", certainty="maybe", right=False, said="lynx")
    await give(image=3, label="hare", certainty="sure", right=True)
    await give(image=4, label="mouse", certainty="sure", right=False, guild_id=7)
    here, everywhere = await store.feedback.summary(6), await store.feedback.summary()
    assert list(here.labels) == ["tabby", "hare"]
    assert (here.labels["tabby"].right, here.labels["tabby"].wrong) == (1, 2)
    assert here.labels["tabby"].instead == {"lynx": 2}
    assert (here.certainties["sure"].right, here.certainties["sure"].all) == (2, 2)
    assert (here.certainties["maybe"].right, here.certainties["maybe"].all) == (0, 2)
    assert (here.total.right, here.total.all, everywhere.total.all) == (2, 4, 5)
    assert (await store.feedback.summary(8)).labels == {}


async def fill(place: Place, store: Store, *, guild_id: int, user_id: int) -> None:
    first = made(place) + guild_id * 100 + user_id * 10
    await store.guilds.update(guild_id, {"top": 5})
    await store.members.update(user_id, {"leave_alone": True})
    where: Any = {"channel_id": guild_id, "guild_id": guild_id, "user_id": user_id}
    await store.work.accept_message(message_id=first, **where)
    await store.work.accept_interaction(
        interaction_id=first,
        application_id=1,
        token="t",  # noqa: S106 - none
        images=[],
        options={},
        **where,
    )
    await store.answers.add(source_ids=[first], answer_id=first + 1, **where)
    about: Any = {"answer_id": first + 1, "image": 0, "guild_id": guild_id, "user_id": user_id}
    await store.feedback.give(**about, model="m", label="l", certainty="maybe", right=False, said="my cat")
    await store.images.add([new_image(first, **where)])
    await store.backfills.begin(
        channel_id=guild_id,
        guild_id=guild_id,
        before_id=first,
        messages=0,
        images=0,
        progress_channel_id=guild_id,
        progress_message_id=first,
        language="en",
    )
    store.seen.saw(guild_id, guild_id, first)
    store.sums.add(guild_id, ["sure"], ["cat"])


def new_image(message_id: int, *, channel_id: int, guild_id: int, user_id: int) -> NewImage:
    return NewImage(
        message_id=message_id,
        position=0,
        guild_id=guild_id,
        channel_id=channel_id,
        place_id=channel_id,
        listed_id=channel_id,
        user_id=user_id,
        kind="model-f32-1.1",
        fingerprint=b"123456",
        perceptual_hash=None,
        fine="tabby",
    )


async def left(place: Place, column: str) -> dict[str, set[object]]:
    """For each table that has this column, what is in it."""
    return {
        name: {value for (value,) in await place.rows(f"SELECT {column} FROM {name}")}  # noqa: S608 - our own names
        for name, table in Base.metadata.tables.items()
        if column in table.columns
    }


async def test_a_person_is_erased_whole_and_nobody_else(place: Place) -> None:
    async with place.opened() as store:
        for user_id in (1, 2):
            await fill(place, store, guild_id=3, user_id=user_id)
        await store.erase_user(1)
        assert not (await store.members.get(1)).leave_alone
        assert (await store.members.get(2)).leave_alone
        tables = (
            "member_preference",
            "open_message",
            "open_interaction",
            "answer",
            "feedback",
            "indexed_image",
        )
        assert {name: who for name, who in (await left(place, "user_id")).items() if who} == {
            table: {2} for table in tables
        }
        assert (await store.guilds.get(3)).top == 5


async def test_a_server_is_erased_whole_and_no_other(place: Place) -> None:
    async with place.opened() as store:
        for guild_id in (3, 4):
            await fill(place, store, guild_id=guild_id, user_id=1)
        await store.seen.flush()
        await store.sums.flush()
        await fill(place, store, guild_id=3, user_id=2)  # seen and counted, and not written yet
        await store.erase_guild(3)
        await store.seen.flush()
        await store.sums.flush()
        assert (await store.guilds.get(3)).top == 3
        assert (await store.guilds.get(4)).top == 5
        tables = (
            "guild_setting",
            "open_message",
            "open_interaction",
            "answer",
            "cursor",
            "daily_sum",
            "feedback",
            "indexed_image",
            "backfill",
        )
        assert {name: who for name, who in (await left(place, "guild_id")).items() if who} == {
            table: {4} for table in tables
        }


async def test_a_channel_is_erased_whole_and_no_other(place: Place) -> None:
    async with place.opened() as store:
        for guild_id in (3, 4):  # each with one channel, of the same number
            await store.guilds.update(guild_id, {"index_channels": [3, 4]})
            await fill(place, store, guild_id=guild_id, user_id=1)
            await store.guilds.update(guild_id, {"channels": [3, 4, 5]})
        await store.seen.flush()
        await fill(place, store, guild_id=3, user_id=2)  # seen, and not written yet
        await store.erase_channel(3, 3)
        await store.seen.flush()
        assert [(await store.guilds.get(guild_id)).channels for guild_id in (3, 4)] == [(4, 5), (3, 4, 5)]
        assert (await store.guilds.get(3)).top == 5
        tables = ("open_message", "open_interaction", "answer", "cursor", "indexed_image", "backfill")
        assert {name: where for name, where in (await left(place, "channel_id")).items() if where} == {
            table: {4} for table in tables
        }
        assert len(await store.feedback.of_guild(3)) == 2


async def test_a_channel_that_the_owner_lists_is_not_written_down_for_its_server(place: Place) -> None:
    async with place.opened(GuildSettings(where="only", channels=(7, 8))) as store:
        await store.erase_channel(3, 7)
        assert await place.rows("SELECT * FROM guild_setting") == []


async def test_a_server_is_known_by_whatever_is_kept_of_it(place: Place) -> None:
    async with place.opened() as store:
        assert await store.guild_ids() == set()
        await store.guilds.update(1, {"top": 5})
        where: Any = {"channel_id": 1, "user_id": 1}
        await store.work.accept_message(message_id=1, guild_id=2, **where)
        await store.work.accept_message(message_id=2, guild_id=None, **where)
        await store.answers.add(source_ids=[1], answer_id=2, guild_id=3, **where)
        store.seen.saw(4, 1, 1)
        store.sums.add(5, ["sure"], [])
        assert await store.guild_ids() == {1, 2, 3, 4, 5}
        await store.seen.flush()
        await store.sums.flush()
        assert await store.guild_ids() == {1, 2, 3, 4, 5}


def test_every_table_is_somebodys_or_holds_nothing_of_anybody() -> None:
    nobodys = {
        name
        for name, table in Base.metadata.tables.items()
        if not {"user_id", "guild_id"} & set(table.c.keys())
    }
    assert nobodys == {"meta", "condemned_image", "quota_use"}  # of the last two the keys are hashes
    assert {column.name for column in select(Meta).selected_columns} == {"key", "value"}


async def test_what_was_kept_long_enough_goes_and_the_rest_stays(place: Place) -> None:
    async with place.opened() as store:
        ages = {"cursors": (30, 20), "answers": (91 * 24, 89 * 24), "feedback": (366 * 24, 364 * 24)}
        about: Any = {"image": 0, "user_id": 1, "guild_id": 1, "model": "m", "label": "l", "right": True}
        about["certainty"] = "sure"
        for number in (0, 1):
            store.seen.saw(1, number + 1, made(place, hours=ages["cursors"][number]))
            answer_id = made(place, hours=ages["answers"][number])
            await store.answers.add(
                source_ids=range(1, 1502), answer_id=answer_id, channel_id=1, guild_id=1, user_id=1
            )
            await store.feedback.give(answer_id=made(place, hours=ages["feedback"][number]), **about)
        await store.seen.flush()
        assert await store.purge() == 1 + 1501 + 1
        assert await store.purge() == 0
        assert len(await place.rows("SELECT * FROM cursor")) == 1
        assert len(await place.rows("SELECT * FROM answer")) == 1501
        assert len(await place.rows("SELECT * FROM feedback")) == 1
    place.clock.advance(days=400)
    async with place.opened():
        for table in ("cursor", "answer", "feedback"):
            assert await place.rows(f"SELECT * FROM {table}") == []  # noqa: S608 - our own names


def test_a_token_is_kept_no_longer_than_discord_honours_it() -> None:
    assert Retention().interactions <= timedelta(minutes=15)
