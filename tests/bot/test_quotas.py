"""So many images a minute for a member and for the server: then a sign, or a word where it is private."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from unittest.mock import patch

import discord
import pytest

from bot.delivery.reactions import OVER_QUOTA
from bot.policy.quota import Quota
from config.settings import Limits
from inference.results import HarmfulImage
from tests.bot.wishes import post, reactions, server
from tests.world import CAT, World, picture

PATIENCE = "That's as many pictures as I can take from you for now."
OURS = "That's as many pictures as I can take from this server for now."
costly = pytest.mark.whatsit(limits={"user_core_seconds_per_minute": 10, "guild_core_seconds_per_minute": 25})
three = pytest.mark.whatsit(limits={"user_images_per_minute": 3, "user_burst": 3})


@three
async def test_over_the_limit_a_message_gets_a_reaction_and_no_word(world: World) -> None:
    sources = [await post(world) for _ in range(5)]
    assert all(answer.embeds for answer in world.answers())
    assert [reactions(world, source) for source in sources] == [[], [], [], [OVER_QUOTA], [OVER_QUOTA]]
    assert len(world.classifier.asked) == 3


@three
async def test_after_a_minute_there_are_more(world: World) -> None:
    for _ in range(4):
        await post(world)
    await world.env.advance_time(61)
    await post(world)
    assert len(world.answers()) == 4


@three
async def test_in_a_direct_message_every_image_over_the_limit_is_told_when_to_come_back(world: World) -> None:
    dm = world.alice.user.dm_channel
    for _ in range(5):
        await world.alice.send_dm(attachments=world.stored(picture(), channel=dm))
    answers = world.answers(dm)
    assert [answer.content.startswith(PATIENCE) for answer in answers] == [False] * 3 + [True] * 2
    (moment,) = re.findall(r"<t:(\d+):R>", answers[-1].content)
    assert 0 < int(moment) - world.env.now().timestamp() <= 60


@three
async def test_of_more_images_than_are_left_those_that_are_left_are_named(world: World) -> None:
    await world.alice.send(world.channel, attachments=[picture(f"{n}.png") for n in range(5)])
    answer = world.only_answer()
    assert len(answer.embeds) == 3
    assert answer.content.startswith("2 more pictures were over the limit.")


@three
async def test_each_image_of_a_message_counts(world: World) -> None:
    await world.alice.send(world.channel, attachments=[picture(), picture()])
    await world.alice.send(world.channel, attachments=[picture(), picture()])
    assert [len(answer.embeds) for answer in world.answers()] == [2, 1]


@three
async def test_one_persons_limit_is_not_anothers(world: World) -> None:
    bob = world.guild.add_member(world.env.create_user("bob"))
    for person in (world.alice, world.alice, world.alice, world.alice, bob):
        await post(world, member=person)
    assert len(world.answers()) == 4


@three
async def test_commands_and_messages_draw_on_one_limit_and_a_command_is_always_told(world: World) -> None:
    for _ in range(3):
        await post(world)
    for _ in range(2):
        result = await world.alice.slash(world.channel, "classify", picture=picture())
        assert result.response is not None
        assert result.ephemeral
        assert result.response.content.startswith(PATIENCE)


@three
async def test_mentions_cannot_be_used_to_make_the_bot_talk_without_end(world: World) -> None:
    messages = [await world.alice.send(world.channel, f"{world.me.mention} hello") for _ in range(6)]
    assert len(world.answers()) == 3
    assert [reactions(world, message) for message in messages[3:]] == [[OVER_QUOTA]] * 3


@three
async def test_a_servers_own_limit_takes_the_place_of_the_owners(world: World) -> None:
    await server(world, member_per_minute=5)
    for _ in range(6):
        await post(world)
    assert len(world.answers()) == 5
    await server(world, member_per_minute=None)
    await post(world)
    assert len(world.answers()) == 6


async def test_a_servers_limit_is_for_all_its_members_together(world: World) -> None:
    await server(world, guild_per_minute=3)
    bob = world.guild.add_member(world.env.create_user("bob"))
    for person in (world.alice, bob, world.alice, bob):
        await post(world, member=person)
    assert len(world.answers()) == 3
    result = await bob.slash(world.channel, "classify", picture=picture())
    assert result.response is not None
    assert result.ephemeral
    assert result.response.content.startswith(OURS)

    elsewhere = world.env.create_guild("Dog lovers")
    await post(world, elsewhere.create_text_channel("dogs"), member=elsewhere.add_member(bob.user))
    assert len(world.classifier.asked) == 4
    await world.env.advance_time(61)
    await post(world)
    assert len(world.answers()) == 4


def costing(world: World, core_seconds: float) -> None:
    """Have each picture take so much of the processor."""
    world.classifier.otherwise = replace(CAT, core_seconds=core_seconds)


@costly
async def test_whoever_has_used_much_of_the_processor_waits_for_the_next_picture(world: World) -> None:
    costing(world, 12)
    for _ in range(3):
        await post(world)
    assert len(world.answers()) == 2  # 24 core-seconds, of 20 at once
    bob = world.guild.add_member(world.env.create_user("bob"))
    await post(world, member=bob)
    assert len(world.answers()) == 3

    result = await world.alice.slash(world.channel, "classify", picture=picture())
    assert result.response is not None
    assert result.response.content.startswith(PATIENCE)
    await world.env.advance_time(25)  # 4.2 core-seconds at 10 a minute
    await post(world)
    assert len(world.answers()) == 4


@costly
async def test_a_picture_that_failed_is_charged_like_any_other(world: World) -> None:
    world.classifier.otherwise = HarmfulImage("it hung", core_seconds=21)
    first, second = [await post(world) for _ in range(2)]
    assert len(world.classifier.asked) == 1
    assert OVER_QUOTA not in reactions(world, first)
    assert reactions(world, second) == [OVER_QUOTA]


@costly
async def test_all_pictures_of_a_server_draw_on_its_core_seconds_and_nobody_elsewhere_waits(
    world: World,
) -> None:
    costing(world, 19)
    members = [world.guild.add_member(world.env.create_user(f"member{number}")) for number in range(3)]
    for member in members:
        await post(world, member=member)
    assert len(world.classifier.asked) == 3  # 57 core-seconds, of 50 at once
    result = await world.alice.slash(world.channel, "classify", picture=picture())
    assert result.response is not None
    assert result.response.content.startswith(OURS)
    elsewhere = world.env.create_guild("Dog lovers")
    await post(world, elsewhere.create_text_channel("dogs"), member=elsewhere.add_member(members[0].user))
    assert len(world.classifier.asked) == 4


@costly
async def test_a_role_without_a_quota_does_not_make_the_processor_free(world: World) -> None:
    role = world.guild.create_role("artists", permissions=discord.Permissions.none())
    artist = world.guild.add_member(world.env.create_user("artist"), roles=[role])
    await server(world, unlimited_roles=[role.id])
    costing(world, 12)
    for _ in range(3):
        await post(world, member=artist)
    assert len(world.answers()) == 2


async def test_nobody_who_posts_nine_photographs_a_minute_ever_meets_the_limit() -> None:
    quota = Quota(Limits())
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    with patch("bot.policy.quota.discord.utils.utcnow", lambda: now):
        for _ in range(90):
            assert quota.take(1, 1, guild_id=2).images == 1
            quota.charge(1, 2, 2.0)
            now += datetime.timedelta(seconds=60 / 9)


@three
async def test_some_roles_have_no_quota(world: World) -> None:
    role = world.guild.create_role("artists", permissions=discord.Permissions.none())
    artist = world.guild.add_member(world.env.create_user("artist"), roles=[role])
    await server(world, unlimited_roles=[role.id], guild_per_minute=2)
    for _ in range(3):
        await post(world, member=artist)
    await artist.slash(world.channel, "classify", picture=picture())
    for _ in range(3):
        await post(world)
    assert len(world.classifier.asked) == 6
