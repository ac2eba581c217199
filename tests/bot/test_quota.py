"""A person has so many images a minute, and is told politely, once, when to come back."""

from __future__ import annotations

import re

import pytest

from tests.world import World, picture

PATIENCE = "That's as many images as I can take from you for now."
three = pytest.mark.whatsit(limits={"user_images_per_minute": 3, "user_burst": 3})


@three
async def test_over_the_limit_a_channel_is_told_once_not_for_each_image(world: World) -> None:
    for _ in range(6):
        await world.alice.send(world.channel, attachments=[picture()])
    named, told = world.answers()[:3], world.answers()[3:]
    assert all(answer.embeds for answer in named)
    (line,) = [answer.content for answer in told]
    assert line.startswith(PATIENCE)


@three
async def test_the_line_says_when_to_come_back(world: World) -> None:
    for _ in range(4):
        await world.alice.send(world.channel, attachments=[picture()])
    (moment,) = re.findall(r"<t:(\d+):R>", world.answers()[-1].content)
    assert 0 < int(moment) - world.env.now().timestamp() <= 60

    await world.env.advance_time(61)
    await world.alice.send(world.channel, attachments=[picture()])
    assert world.answers()[-1].embeds


@three
async def test_in_a_direct_message_every_image_over_the_limit_is_answered(world: World) -> None:
    dm = world.alice.user.dm_channel
    for _ in range(5):
        await world.alice.send_dm(attachments=world.stored(picture(), channel=dm))
    assert [answer.content.startswith(PATIENCE) for answer in world.answers(dm)] == [False] * 3 + [True] * 2


@three
async def test_the_next_time_over_the_limit_is_told_again(world: World) -> None:
    for _ in range(2):
        for _ in range(5):
            await world.alice.send(world.channel, attachments=[picture()])
        await world.env.advance_time(61)
    assert sum(answer.content.startswith(PATIENCE) for answer in world.answers()) == 2


@three
async def test_of_more_images_than_are_left_those_that_are_left_are_named(world: World) -> None:
    await world.alice.send(world.channel, attachments=[picture(f"{n}.png") for n in range(5)])
    answer = world.only_answer()
    assert len(answer.embeds) == 3
    assert answer.content.startswith("2 more images were over your limit.")


@three
async def test_each_image_of_a_message_counts(world: World) -> None:
    await world.alice.send(world.channel, attachments=[picture(), picture()])
    await world.alice.send(world.channel, attachments=[picture(), picture()])
    assert [len(answer.embeds) for answer in world.answers()] == [2, 1]


@three
async def test_one_persons_limit_is_not_anothers(world: World) -> None:
    bob = world.guild.add_member(world.env.create_user("bob"))
    for person in (world.alice, world.alice, world.alice, world.alice, bob):
        await person.send(world.channel, attachments=[picture()])
    assert world.answers()[-1].embeds


@three
async def test_commands_and_messages_draw_on_one_limit_and_a_command_is_always_told(world: World) -> None:
    for _ in range(3):
        await world.alice.send(world.channel, attachments=[picture()])
    for _ in range(2):
        result = await world.alice.slash(world.channel, "classify", image=picture())
        assert result.response is not None
        assert result.ephemeral
        assert result.response.content.startswith(PATIENCE)


@three
async def test_mentions_cannot_be_used_to_make_the_bot_talk_without_end(world: World) -> None:
    for _ in range(9):
        await world.alice.send(world.channel, f"{world.me.mention} hello")
    assert len(world.answers()) == 4
