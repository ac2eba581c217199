"""Where a picture is answered unasked: all channels, only some, all but some; and whose never are."""

from __future__ import annotations

import discord
import pytest

from tests.bot.wishes import post, server
from tests.stores import statements
from tests.world import World


@pytest.mark.parametrize(
    ("where", "answers"), [("all", [1, 1, 1, 1]), ("only", [1, 1, 0, 0]), ("except", [0, 0, 1, 1])]
)
async def test_the_listed_channels_are_those_or_the_others_and_threads_follow_theirs(
    world: World, where: str, answers: list[int]
) -> None:
    listed, other = world.channel, world.guild.create_text_channel("other")
    places = [listed, world.thread(listed), other, world.thread(other)]
    await server(world, where=where, channels=[listed.id])
    for place in places:
        await post(world, place)
    assert [len(world.answers(place)) for place in places] == answers


async def test_a_category_stands_for_the_channels_in_it(world: World) -> None:
    category = world.guild.create_category("galleries")
    inside = world.guild.create_text_channel("paintings", category=category)
    places = [inside, world.thread(inside), world.channel]
    await server(world, where="only", channels=[category.id])
    for place in places:
        await post(world, place)
    assert [len(world.answers(place)) for place in places] == [1, 1, 0]


async def test_a_change_holds_from_the_next_picture_on(world: World) -> None:
    await post(world)
    await server(world, where="only", channels=[])
    await post(world)
    await world.bot.store.guilds.reset(world.guild.id)
    await post(world)
    assert len(world.answers()) == 2


async def test_the_owners_channels_are_only_the_default(world: World) -> None:
    await world.restart(watch={"channels": []})
    await post(world)
    assert world.answers() == []
    await server(world, where="all")
    await post(world)
    assert len(world.answers()) == 1


async def test_pictures_of_ignored_roles_are_answered_only_when_asked_for(world: World) -> None:
    role = world.guild.create_role("artists", permissions=discord.Permissions.none())
    artist = world.guild.add_member(world.env.create_user("artist"), roles=[role])
    await server(world, ignored_roles=[role.id])
    await post(world, member=artist)
    assert world.answers() == []
    await post(world)
    await post(world, member=artist, content=world.me.mention)
    assert len(world.answers()) == 2


async def test_the_roles_of_who_is_caught_up_with_are_asked_for(world: World) -> None:
    role = world.guild.create_role("artists", permissions=discord.Permissions.none())
    artist = world.guild.add_member(world.env.create_user("artist"), roles=[role])
    await server(world, ignored_roles=[role.id])
    stored = await post(world, member=artist)
    fetched = await world.bot.get_channel(world.channel.id).fetch_message(stored.id)  # type: ignore[union-attr]
    assert not isinstance(fetched.author, discord.Member)  # so a message comes over HTTP
    world.bot.dispatch("message", fetched)
    await world.env.settle()
    assert world.answers() == []


async def test_a_mention_is_answered_in_a_channel_that_is_not_watched(world: World) -> None:
    await server(world, where="except", channels=[world.channel.id])
    await post(world, content=world.me.mention)
    assert len(world.answers()) == 1


async def test_settings_of_one_server_are_not_anothers(world: World) -> None:
    elsewhere = world.env.create_guild("Dog lovers")
    channel = elsewhere.create_text_channel("dogs")
    bob = elsewhere.add_member(world.env.create_user("bob"))
    await server(world, how="on_demand")
    await post(world)
    await post(world, channel, member=bob)
    assert [len(world.answers()), len(world.answers(channel))] == [0, 1]


async def test_a_message_costs_no_query_for_settings_once_they_are_known(world: World) -> None:
    with statements() as first:
        await post(world)
    with statements() as second:
        await post(world)
    assert len(world.answers()) == 2
    for table in ("guild_setting", "member_preference"):
        assert [table in each for each in first].count(True) == 1
        assert not any(table in each for each in second)
