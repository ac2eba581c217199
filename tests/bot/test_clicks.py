"""Clicks on the offer: what they may cost."""

from __future__ import annotations

import pytest

from bot.delivery.reactions import OFFER, OVER_QUOTA
from tests.bot.wishes import post, reactions, server
from tests.world import World


def looked_up(world: World) -> int:
    """How many messages were fetched."""
    return sum(
        request.method == "GET" and "/messages/" in request.path for request in world.env.http_requests
    )


async def test_many_clicks_on_one_message_fetch_it_once(world: World) -> None:
    source = await world.alice.send(world.channel, "no picture, and no offer")
    for number in range(20):
        await world.guild.add_member(world.env.create_user(f"member{number}")).react(source, OFFER)
    assert looked_up(world) == 1


@pytest.mark.whatsit(limits={"user_images_per_minute": 5, "user_burst": 5})
async def test_clicks_on_many_messages_count_on_the_quota_of_whoever_clicks(world: World) -> None:
    await server(world, how="react")
    sources = [await world.alice.send(world.channel, f"no picture {n}") for n in range(10)]
    for source in sources:
        await world.alice.react(source, OFFER)
    assert looked_up(world) == 5
    offered = await post(world)
    await world.alice.react(offered, OFFER)
    assert reactions(world, offered) == [OFFER, OVER_QUOTA]
    await world.guild.add_member(world.env.create_user("bob")).react(offered, OFFER)
    assert len(world.answers()) == 1


@pytest.mark.whatsit(limits={"user_images_per_minute": 1, "user_burst": 1})
async def test_a_click_costs_no_more_than_its_images(world: World) -> None:
    await server(world, how="react")
    source = await post(world)
    await world.alice.react(source, OFFER)
    assert len(world.answers()) == 1
