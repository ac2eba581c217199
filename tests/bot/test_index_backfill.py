"""A channel's past is read into the index: politely, with its progress, and through stops and restarts."""

from __future__ import annotations

import asyncio

import discord
import pytest
from simcord.builders import ChannelHandle
from simcord.results import InteractionResult, ResponseMessage

from bot.intake import channel_past
from inference.results import Busy
from tests.bot.moderation import moderator, refusal
from tests.bot.moderation import shown as message_of
from tests.bot.pressing import member, now, pressable
from tests.world import World, picture


@pytest.fixture(autouse=True)
def features(world: World) -> None:
    """The model gives fingerprints."""
    world.classifier.features = 32


async def past(world: World, count: int, channel: ChannelHandle | None = None) -> list[int]:
    """Pictures that were posted and answered before anybody wanted to find them again."""
    for number in range(count):
        await world.alice.send(channel or world.channel, attachments=[picture(data=f"old {number}".encode())])
    await world.bot.store.guilds.update(world.guild.id, {"index_channels": ((channel or world.channel).id,)})
    assert await kept(world) == []
    return [
        message.id for message in (channel or world.channel).history() if message.author.id == world.alice.id
    ]


async def kept(world: World) -> list[int]:
    """The messages whose pictures can be found again, oldest first."""
    store = world.bot.store.images
    return sorted(
        {
            row.message_id
            async for rows in store.all_of(world.guild.id, world.classifier.info.fingerprints or "")
            for row in rows
        }
    )


async def backfill(world: World, channel: ChannelHandle | None = None) -> InteractionResult:
    office = world.guild.channels.get("office") or world.guild.create_text_channel("office")
    return await moderator(world).slash(office, "index backfill", channel=channel or world.channel)


def progress(result: InteractionResult) -> ResponseMessage:
    """What everybody reads in the channel of the command."""
    assert result.response is not None
    assert not result.response.ephemeral
    return result.response


async def interrupted(world: World) -> discord.Message:
    """A progress message of a reading that a crash ended before the first picture."""
    shown = await world.post(content="I'm reading", author=world.me.id)
    await world.bot.store.backfills.begin(
        channel_id=world.channel.id,
        guild_id=world.guild.id,
        before_id=shown.id,
        messages=0,
        images=0,
        progress_channel_id=world.channel.id,
        progress_message_id=shown.id,
        language="en",
    )
    return shown


def words(world: World, shown: discord.Message) -> str:
    return str(world.env.backend.get_message(shown.channel.id, shown.id).content)


async def test_older_pictures_are_found_afterwards_and_the_progress_is_shown(world: World) -> None:
    old = await past(world, 3)
    shown = progress(await backfill(world))
    first = world.requests("POST", "/callback")[-1]["data"]["content"]
    assert first.startswith(f"I'm reading the past of <#{world.channel.id}>: 0 messages so far")
    await world.env.settle()
    assert await kept(world) == old
    assert now(world, shown).content == (
        f"I have read the past of <#{world.channel.id}>: 6 messages, and 3 new pictures."
    )
    assert pressable(now(world, shown)) == []


async def test_a_channel_that_is_not_listed_is_not_read(world: World) -> None:
    result = await backfill(world)
    assert "can't be found again in" in refusal(world, result)


async def test_a_channel_that_the_bot_cannot_read_is_said_to_be(world: World) -> None:
    closed = world.closed_to(read_message_history=False)
    await world.bot.store.guilds.update(world.guild.id, {"index_channels": (closed.id,)})
    assert "I can't read the history of" in refusal(world, await backfill(world, closed))


async def test_only_those_who_may_manage_the_server_can_stop_it(world: World) -> None:
    shown = await stopped_at_the_second(world)
    pressed = await member(world, "carol").click(shown, label="Stop")
    assert pressed.response is not None
    assert "Manage Server" in pressed.response.content
    row = await world.bot.store.backfills.of(world.channel.id)
    assert row is not None
    assert row.messages < 8


async def stopped_at_the_second(world: World) -> ResponseMessage:
    """The progress of a reading of four pictures of which two have been looked at."""
    await past(world, 4)

    async def stop(_: bytes) -> None:
        if len(world.classifier.featured) == 1:
            await world.bot.store.backfills.set_state(world.channel.id, "stopped")

    world.classifier.meanwhile = stop
    return progress(await backfill(world))


async def test_it_can_be_stopped_and_goes_on_where_it_stopped(world: World) -> None:
    first = await stopped_at_the_second(world)
    before = await kept(world)
    assert len(before) == len(world.classifier.featured) == 2
    again = progress(await backfill(world))
    await world.env.settle()
    after = await kept(world)
    assert len(after) == len(world.classifier.featured) == 4, "none is looked at twice"
    assert after[2:] == before, "the newest come first"
    assert "8 messages, and 4 new pictures" in now(world, again).content
    assert first.id != again.id


async def test_a_press_stops_it_and_another_one_goes_on(world: World) -> None:
    shown = await stopped_at_the_second(world)
    mod = moderator(world, "other")
    await mod.click(shown, label="Stop")
    assert now(world, shown).content.startswith("I stopped reading the past of")
    assert pressable(now(world, shown)) == ["Go on"]
    await mod.click(now(world, shown), label="Go on")
    await world.env.settle()
    assert now(world, shown).content.startswith("I have read the past of")
    assert len(await kept(world)) == 4


async def test_after_a_restart_it_goes_on_by_itself(world: World) -> None:
    old = await past(world, 4)
    shown = await interrupted(world)
    await world.restart()
    await world.env.settle()
    assert await kept(world) == old
    assert words(world, shown).startswith("I have read the past of")


async def test_a_channel_that_is_being_read_is_not_read_twice(world: World) -> None:
    await past(world, 2)
    shown = await interrupted(world)
    assert f"{shown.channel.id}/{shown.id}" in refusal(world, await backfill(world))


async def test_answers_go_first(world: World) -> None:
    await past(world, 3)
    looked_at: list[float] = []

    async def note(_: bytes) -> None:
        looked_at.append(asyncio.get_running_loop().time())

    world.classifier.meanwhile = note
    world.classifier.inside = 1  # somebody always waits for an answer
    await backfill(world)
    await world.env.advance_time(10 * channel_past.YIELD_SECONDS)
    first, second, third = looked_at
    assert second - first >= channel_past.YIELD_SECONDS
    assert third - second >= channel_past.YIELD_SECONDS


async def test_where_the_queue_is_full_a_picture_is_tried_again(world: World) -> None:
    old = await past(world, 3)
    world.classifier.refuses = Busy("full")
    await backfill(world)
    await world.env.advance_time(2 * channel_past.YIELD_SECONDS)
    assert await kept(world) == []
    world.classifier.refuses = None
    await world.env.advance_time(3 * channel_past.YIELD_SECONDS)
    assert await kept(world) == old


async def test_who_wants_to_be_left_alone_and_what_a_spoiler_hides_stays_out(world: World) -> None:
    await world.alice.send(world.channel, attachments=[picture()])
    bob = member(world, "bob")
    await bob.send(world.channel, attachments=[picture("SPOILER_x.png", b"hidden")])
    bobs = await bob.send(world.channel, attachments=[picture(data=b"bob")])
    await world.bot.store.members.update(world.alice.id, {"leave_alone": True})
    await world.bot.store.guilds.update(world.guild.id, {"index_channels": (world.channel.id,)})
    await backfill(world)
    await world.env.settle()
    assert await kept(world) == [bobs.id]


async def test_who_is_forgotten_does_not_come_back_with_the_rest_of_the_past(world: World) -> None:
    await stopped_at_the_second(world)
    assert len(await kept(world)) == 2
    asked = message_of(await world.alice.slash(world.channel, "privacy delete")).message
    await world.alice.click(asked, label="Forget me")
    await backfill(world)
    await world.env.settle()
    assert await kept(world) == []
    assert len(world.classifier.featured) == 2, "the others are not even looked at"


async def test_taking_the_channel_off_the_list_ends_it(world: World) -> None:
    await past(world, 3)
    shown = await interrupted(world)
    await world.bot.store.guilds.update(world.guild.id, {"index_channels": ()})
    await world.restart()
    await world.env.settle()
    assert await kept(world) == []
    assert words(world, shown).startswith("I stopped reading")
