"""No image forgotten: what is accepted is written down, and struck out when it is answered."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.store import Retention, Store
from tests.bot.store.conftest import Place

IMAGES = [{"url": "https://cdn.discordapp.com/attachments/1/2/cat.png", "spoiler": True}]


async def accept(store: Store, message_id: int, *, guild_id: int | None = 20, asked: bool = False) -> None:
    await store.work.accept_message(
        message_id=message_id, channel_id=10, guild_id=guild_id, user_id=30, asked=asked
    )


async def accept_interaction(store: Store, interaction_id: int) -> None:
    await store.work.accept_interaction(
        interaction_id=interaction_id,
        application_id=5,
        token="a-secret-token",  # noqa: S106 - none
        channel_id=10,
        guild_id=None,
        user_id=30,
        images=IMAGES,
        options={"top": 5, "locale": "ja", "direct": False},
    )


async def open_ids(place: Place, store: Store) -> list[int]:
    return [
        message.message_id
        for message in await store.work.messages_since(place.clock() - timedelta(minutes=10))
    ]


async def test_a_message_is_open_from_accepted_to_answered_also_over_a_restart(place: Place) -> None:
    async with place.opened() as store:
        await accept(store, 1)
        place.clock.advance(seconds=1)
        await accept(store, 2, guild_id=None, asked=True)
    async with place.opened() as store:
        one, two = await store.work.messages_since(place.clock() - timedelta(minutes=10))
        assert (one.message_id, one.channel_id, one.guild_id, one.user_id, one.asked) == (
            1,
            10,
            20,
            30,
            False,
        )
        assert (two.message_id, two.guild_id, two.asked) == (2, None, True)
        assert two.accepted_at == place.clock()
        await store.work.answered(1, answer_id=9, channel_id=11, guild_id=20, user_id=30)
        await store.work.strike_message(2)
        assert await open_ids(place, store) == []
        (answer,) = await store.answers.to([1, 2])
        assert (answer.answer_id, answer.channel_id, answer.user_id) == (9, 11, 30)


async def test_only_work_since_then_is_found(place: Place) -> None:
    async with place.opened() as store:
        await accept(store, 1)
        place.clock.advance(minutes=11)
        await accept(store, 2)
        assert await open_ids(place, store) == [2]


async def test_accepting_or_answering_twice_changes_nothing(place: Place) -> None:
    async with place.opened() as store:
        await accept(store, 1)
        place.clock.advance(minutes=5)
        await accept(store, 1)
        (message,) = await store.work.messages_since(place.clock() - timedelta(hours=1))
        assert message.accepted_at == place.clock() - timedelta(minutes=5)
        for _ in range(2):
            await store.work.answered(1, answer_id=9, channel_id=10, guild_id=20, user_id=30)
        assert len(await store.answers.to([1])) == 1


async def test_an_interaction_is_kept_with_all_it_takes_to_answer_it(place: Place) -> None:
    async with place.opened() as store:
        await accept_interaction(store, 1)
        await store.work.know_response(1, 77)
    async with place.opened() as store:
        (found,) = await store.work.interactions()
        assert (found.interaction_id, found.application_id, found.response_id) == (1, 5, 77)
        assert (found.token, found.channel_id, found.guild_id) == ("a-secret-token", 10, None)
        assert found.images == IMAGES
        assert found.options == {"top": 5, "locale": "ja", "direct": False}
        await store.work.strike_interaction(1)
        assert await store.work.interactions() == []
    assert await place.rows("SELECT * FROM open_interaction") == []


async def test_an_answered_interactions_token_is_not_left_in_the_file(sqlite_place: Place) -> None:
    async with sqlite_place.opened() as store:
        await accept_interaction(store, 1)
        await store.work.strike_interaction(1)
    file = sqlite_place.location.file
    assert file is not None
    assert [each.name for each in file.parent.iterdir()] == [file.name], "the log is folded in at the end"
    assert b"a-secret-token" not in file.read_bytes()


async def test_an_interaction_is_erased_while_running_when_its_token_has_expired(place: Place) -> None:
    retention = Retention(interactions=timedelta(milliseconds=200))
    async with place.opened(retention=retention) as store:
        await accept_interaction(store, 1)
        place.clock.advance(milliseconds=150)
        await accept_interaction(store, 2)
        place.clock.advance(milliseconds=60)
        await place.becomes("SELECT interaction_id FROM open_interaction", [(2,)])
        assert [found.interaction_id for found in await store.work.interactions()] == [2]
        place.clock.advance(milliseconds=200)
        await place.becomes("SELECT interaction_id FROM open_interaction", [])


async def test_a_start_erases_what_expired_meanwhile(place: Place) -> None:
    async with place.opened() as store:
        await accept(store, 1)
        await accept_interaction(store, 2)
    place.clock.advance(minutes=16)
    async with place.opened() as store:
        assert await store.work.interactions() == []
        assert await place.rows("SELECT * FROM open_interaction") == []
        assert len(await place.rows("SELECT * FROM open_message")) == 1
    place.clock.advance(hours=1)
    async with place.opened():
        assert await place.rows("SELECT * FROM open_message") == []


@pytest.mark.parametrize("number", [1, 300])
async def test_many_at_once_are_all_written(place: Place, number: int) -> None:
    async with place.opened() as store:
        await asyncio.gather(*(accept(store, message_id) for message_id in range(1, number + 1)))
        assert sorted(await open_ids(place, store)) == list(range(1, number + 1))

        async def answer(message_id: int) -> None:
            await store.work.answered(
                message_id, answer_id=message_id + 1000, channel_id=1, guild_id=2, user_id=3
            )

        await asyncio.gather(*(answer(message_id) for message_id in range(1, number + 1)))
        assert await open_ids(place, store) == []
        assert len(await store.answers.to(range(1, number + 1))) == number
