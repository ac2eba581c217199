"""What I do when someone posts a picture: a reply, a silent one, an offer, a direct message, nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import pytest
from simcord.actors import MemberActor

from bot.delivery.reactions import CLOSED, MUTE, OFFER, OVER_QUOTA
from tests.bot.wishes import post, reactions, server, wish
from tests.world import World

SILENT = discord.MessageFlags(suppress_notifications=True).value


def sent(world: World) -> list[dict[str, Any]]:
    return world.requests("POST", f"/channels/{world.channel.id}/messages")


def bob(world: World) -> MemberActor:
    return world.guild.add_member(world.env.create_user("bob"))


async def test_a_reply_notifies_as_usual_and_a_silent_one_nobody(world: World) -> None:
    await post(world)
    await server(world, how="silent")
    await post(world)
    await post(world, content=world.me.mention)
    assert [body.get("flags", 0) for body in sent(world)] == [0, SILENT, SILENT]
    assert all("message_reference" in body for body in sent(world))


async def test_on_demand_only_a_mention_is_answered(world: World) -> None:
    await server(world, how="on_demand")
    source = await post(world)
    assert (world.answers(), reactions(world, source)) == ([], [])
    await post(world, content=world.me.mention)
    assert len(world.answers()) == 1


# An offer.


async def test_an_offer_is_a_reaction_and_no_work_is_done_before_somebody_clicks_it(world: World) -> None:
    await server(world, how="react", emoji="👀")
    source = await post(world)
    assert reactions(world, source) == ["👀"]
    assert (world.answers(), world.classifier.asked, world.fetcher.fetched) == ([], [], [])
    assert world.requests("POST", "/typing") == []

    await bob(world).react(source, "👀")
    answer = world.only_answer()
    assert answer.reference is not None
    assert answer.reference.message_id == source.id
    assert "Egyptian cat" in str(answer.embeds[0].description)


async def test_after_the_answer_the_bots_reaction_is_gone_and_clicks_do_nothing(world: World) -> None:
    await server(world, how="react")
    source = await post(world)
    for name in ("bob", "carol"):
        await world.guild.add_member(world.env.create_user(name)).react(source, OFFER)
    assert len(world.answers()) == 1
    stored = world.env.backend.get_message(world.channel.id, source.id)
    assert all(world.me.id not in reaction.user_ids for reaction in stored.reactions)


async def test_two_clicks_at_once_get_one_answer(world: World) -> None:
    await server(world, how="react")
    source = await post(world)
    people = [world.guild.add_member(world.env.create_user(name)) for name in ("bob", "carol")]

    async def a_while(__: bytes) -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    world.classifier.meanwhile = a_while
    for person in people:
        world.env.backend.add_reaction(world.channel.id, source.id, OFFER, person.id)
    await world.env.settle()
    assert len(world.answers()) == 1
    assert len(world.classifier.asked) == 1


async def test_an_offer_outlives_a_restart_and_so_does_its_answer(world: World) -> None:
    await server(world, how="react", emoji="👀")
    source, other = await post(world), await post(world)
    await world.restart()
    person = bob(world)
    await person.react(source, "👀")
    assert len(world.answers()) == 1
    world.env.backend.add_reaction(world.channel.id, source.id, "👀", world.me.id)  # a crash came in between
    await world.restart()
    await world.alice.react(source, "👀")
    assert len(world.answers()) == 1
    await person.react(other, "👀")
    assert len(world.answers()) == 2


async def test_a_click_that_a_crash_came_after_is_answered_after_the_restart(world: World) -> None:
    await server(world, how="react")
    source, person = await post(world), bob(world)
    await world.bot.store.work.accept_message(
        message_id=source.id,
        channel_id=world.channel.id,
        guild_id=world.guild.id,
        user_id=person.id,
        asked=True,
    )
    await world.restart()
    answer = world.only_answer()  # simcord's history does not tell whose a reaction is: this one stays there
    assert answer.reference is not None
    assert answer.reference.message_id == source.id


async def test_an_old_offer_is_still_taken(world: World) -> None:
    await server(world, how="react")
    source = await post(world)
    await world.env.advance_time(24 * 3600)
    await bob(world).react(source, OFFER)
    assert len(world.answers()) == 1


async def test_only_the_bots_own_reaction_is_an_offer(world: World) -> None:
    source = await post(world, content=f"{world.me.mention} look")
    await server(world, how="on_demand")
    plain = await post(world)
    for message in (source, plain):
        await world.alice.react(message, OFFER)
        await bob(world).react(message, OFFER)
    assert len(world.answers()) == 1
    assert len(world.classifier.asked) == 1


async def test_other_reactions_cost_no_request(world: World) -> None:
    await server(world, how="react", emoji="👀")
    source = await post(world)
    before = len(world.env.http_requests)
    await bob(world).react(source, "❤️")
    assert len(world.env.http_requests) == before


async def test_a_bots_click_is_none(world: World) -> None:
    await server(world, how="react")
    source = await post(world)
    robot = world.guild.add_member(world.env.create_user("robot", bot=True))
    await robot.react(source, OFFER)
    assert world.answers() == []


async def test_offers_under_other_emoji_hold_when_the_server_goes_back_to_replies(world: World) -> None:
    await server(world, how="react", emoji="👀")
    source = await post(world)
    await server(world, how="reply")
    await bob(world).react(source, "👀")
    assert len(world.answers()) == 1


async def test_a_servers_own_emoji_that_is_gone_is_replaced_by_the_usual_one(world: World) -> None:
    await server(world, how="react", emoji="<:look:123456789012345678>")
    world.env.inject_error(
        "PUT", "/channels/*/messages/*/reactions/*/@me", status=400, code=10014, message="Unknown Emoji"
    )
    source = await post(world)
    assert reactions(world, source) == [OFFER]


async def test_where_reactions_are_not_allowed_nothing_is_offered_and_the_log_says_so(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await server(world, how="react")
    closed = world.closed_to(add_reactions=False)
    await post(world, closed)
    assert "allows me neither messages nor reactions" in caplog.text


async def test_where_it_may_not_write_a_click_gets_the_sign_for_that(world: World) -> None:
    await server(world, how="react")
    closed = world.closed_to(send_messages=False)
    source = await post(world, closed)
    await bob(world).react(source, OFFER)
    assert reactions(world, source) == [OFFER, MUTE]


async def test_who_clicks_pays(world: World) -> None:
    await world.restart(limits={"user_images_per_minute": 1, "user_burst": 1})
    await server(world, how="react")
    first, second = await post(world), await post(world)
    person = bob(world)
    await person.react(first, OFFER)
    await person.react(second, OFFER)
    assert len(world.answers()) == 1
    assert OVER_QUOTA in reactions(world, second)
    await world.alice.react(second, OFFER)  # the offer stands
    assert len(world.answers()) == 2


async def test_who_wants_it_for_themself_leaves_the_offer_to_the_others(world: World) -> None:
    await server(world, how="react")
    source, person = await post(world), bob(world)
    await wish(world, person, delivery="private")
    await person.react(source, OFFER)
    assert world.answers() == []
    assert "Egyptian cat" in str(world.only_answer(person.user.dm_channel).embeds[0].description)
    await world.restart()
    await world.alice.react(source, OFFER)
    assert len(world.answers()) == 1


async def test_an_offer_whose_picture_is_deleted_leads_nowhere(world: World) -> None:
    await server(world, how="react")
    source = await post(world)
    person = bob(world)
    await person.react(source, OFFER)
    await world.alice.delete(source)
    assert world.answers() == []


# By direct message.


async def test_by_direct_message_only_authors_who_asked_for_it_are_answered(world: World) -> None:
    await server(world, how="direct")
    person = bob(world)
    await wish(world, world.alice, delivery="direct")
    source = await post(world)
    await post(world, member=person)
    assert world.answers() == []
    assert world.answers(person.user.dm_channel) == []
    answer = world.only_answer(world.alice.user.dm_channel)
    assert "Egyptian cat" in str(answer.embeds[0].description)
    assert answer.content == f"[Go to the picture]({source.jump_url})"
    assert world.requests("POST", f"/channels/{world.channel.id}/typing") == []


async def test_a_direct_answer_goes_with_its_picture(world: World) -> None:
    await wish(world, world.alice, delivery="direct")
    source = await post(world)
    await world.restart()
    await world.alice.delete(source)
    assert world.answers(world.alice.user.dm_channel) == []


def close_dms(world: World, member: MemberActor) -> None:
    path = f"/channels/{member.user.dm_channel.id}/messages"
    world.env.inject_error("POST", path, status=403, code=50007, message="Cannot send", times=None)


async def test_when_direct_messages_are_closed_a_sign_tells_so(world: World) -> None:
    await wish(world, world.alice, delivery="direct")
    close_dms(world, world.alice)
    source = await post(world)
    assert world.answers() == []
    assert reactions(world, source) == [CLOSED]


async def test_who_asked_is_told_of_the_menu_when_direct_messages_are_closed(world: World) -> None:
    await wish(world, world.alice, delivery="private")
    close_dms(world, world.alice)
    await post(world, content=world.me.mention)
    answer = world.only_answer()
    assert answer.embeds == []
    assert "What's in this picture?" in answer.content
