"""Whoever is erased is gone from memory, from every queue and from the work in hand; others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterator
from typing import Any

import pytest
from simcord.actors import MemberActor

from bot.cogs.erasing import ErasingCog
from bot.cogs.offers import OffersCog
from bot.delivery.outbox import Outbox
from bot.erasable_memory import ErasableMemory
from bot.policy.erasure import Erasure
from bot.policy.quota import Quota
from tests.bot.reachable import everything, places_of
from tests.bot.test_outbox import HOLD, Held, burst, one
from tests.bot.wishes import post, server
from tests.world import World, picture


def erasure(world: World) -> Erasure:
    cog = world.bot.get_cog("ErasingCog")
    assert isinstance(cog, ErasingCog)
    return cog._erasure


def bob(world: World) -> MemberActor:
    return world.guild.add_member(world.env.create_user("bob"))


async def test_every_memory_that_knows_how_to_forget_is_asked_to(world: World) -> None:
    def kinds(of: type[ErasableMemory]) -> Iterator[type[ErasableMemory]]:
        for kind in of.__subclasses__():
            if kind.__module__.startswith("bot."):
                yield kind
            yield from kinds(kind)

    assert {type(memory) for memory in erasure(world).memories} == set(kinds(ErasableMemory))


# The memory of the process.


async def lives(world: World, person: MemberActor) -> None:
    """Somebody uses everything there is."""
    message = await person.send(world.channel, attachments=[picture()])
    await person.slash(world.channel, "classify", picture=picture())
    await person.slash(world.channel, "preferences", answers="direct", leave_alone=False)
    await person.slash(world.channel, "classify", picture=picture(), dm=True)
    await person.user.send_dm("hello")
    await person.user.send_dm("hello again")
    await server(world, how="react")
    offered = await person.send(world.channel, attachments=[picture()])
    await bob(world).react(offered, "🔍")
    await server(world, how="reply")
    await world.bot.store.feedback.give(
        answer_id=message.id,
        image=0,
        user_id=person.id,
        guild_id=world.guild.id,
        model="m",
        label="l",
        certainty="sure",
        right=True,
    )


async def test_nothing_in_memory_knows_who_was_erased(world: World) -> None:
    await lives(world, world.alice)
    before = {place.partition(" key")[0].partition("[")[0] for place in places_of(world, world.alice.id)}
    assert {place.rpartition(".")[2] for place in before} >= {"_known", "_helped", "_looked_up", "_buckets"}
    assert "direct messages" in before
    await erasure(world).erase_user(world.alice.id, with_wish=True)
    left = places_of(world, world.alice.id)
    assert [place for place in left if "._quota." not in place] == []
    assert set((await world.bot.store.personal.counts(world.alice.id)).values()) == {0}


async def test_how_much_of_a_limit_is_used_is_no_way_out_and_leaks_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (quota,) = [thing for _, thing in everything(world) if isinstance(thing, Quota)]
    for _ in range(20):
        quota.take(world.alice.id, 1)
    quota.charge(world.alice.id, world.guild.id, 5.0)
    await erasure(world).erase_user(world.alice.id, with_wish=True)
    assert quota.take(world.alice.id, 1).images == 0
    await world.env.advance_time(16)  # 5 core-seconds at 20 a minute
    assert world.alice.id not in quota._of_users._used
    await world.env.advance_time(130)
    quota.take(1, 1)
    assert not places_of(world, world.alice.id)


# The work in hand.


async def erased_meanwhile(world: World, whom: int) -> None:
    """While a picture is in work, somebody is erased."""

    async def meanwhile(_: bytes) -> None:
        world.classifier.meanwhile = None
        erasing = asyncio.create_task(erasure(world).erase_user(whom, with_wish=True))
        await asyncio.sleep(60)
        await erasing
        raise AssertionError("the work went on")

    world.classifier.meanwhile = meanwhile


async def test_a_picture_in_work_is_dropped(world: World) -> None:
    await erased_meanwhile(world, world.alice.id)
    await post(world)
    assert len(world.classifier.asked) == 1
    assert world.classifier.inside == 0
    assert world.answers() == []
    assert set((await world.bot.store.personal.counts(world.alice.id)).values()) == {0}
    await post(world)
    assert len(world.answers()) == 1


async def test_so_is_one_that_somebody_else_asked_about(world: World) -> None:
    await server(world, how="on_demand")
    source = await post(world)
    await erased_meanwhile(world, world.alice.id)
    other = bob(world)
    await other.send(world.channel, world.me.mention, reply_to=source)
    assert len(world.classifier.asked) == 1
    assert world.answers() == []


async def test_whoever_waits_for_a_command_is_told_why_it_ends(world: World) -> None:
    await erased_meanwhile(world, world.alice.id)
    answer = await world.alice.slash(world.channel, "classify", picture=picture())
    assert answer.response is not None
    assert answer.response.content.startswith("I stopped: whoever this belongs to has just had me forget")
    assert set((await world.bot.store.personal.counts(world.alice.id)).values()) == {0}


async def test_the_work_of_others_goes_on(world: World) -> None:
    other = bob(world)

    async def meanwhile(_: bytes) -> None:
        await erasure(world).erase_user(other.id, with_wish=True)

    world.classifier.meanwhile = meanwhile
    await post(world)
    assert len(world.answers()) == 1


async def test_the_work_in_a_server_that_is_left_is_dropped(world: World) -> None:
    async def meanwhile(_: bytes) -> None:
        world.env.backend.remove_guild(world.guild.id)
        await asyncio.sleep(60)
        raise AssertionError("the work went on")

    world.classifier.meanwhile = meanwhile
    files = world.stored(picture())
    world.env.backend.create_message(world.channel.id, world.alice.id, attachments=files)
    await world.env.settle()
    assert (len(world.classifier.asked), world.classifier.inside) == (1, 0)
    assert await world.bot.store.guild_ids() == set()


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_answers_that_wait_to_be_sent_leave_the_queue(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(world, monkeypatch)
    await burst(world, 40, files=one)
    await world.env.advance_time(2)
    assert held.waiting
    (outbox,) = [thing for _, thing in everything(world) if isinstance(thing, Outbox)]
    assert any(channel.waiting for channel in outbox._channels.values())
    await erasure(world).erase_user(world.alice.id, with_wish=True)
    assert not any(channel.waiting or channel.together for channel in outbox._channels.values())
    await world.env.advance_time(HOLD)
    assert world.answers() == []
    assert await world.bot.store.answers.since(0) == []


async def test_a_message_that_was_looked_up_for_a_click_is_forgotten_with_its_author_alone(
    world: World,
) -> None:
    await server(world, how="react")
    other = bob(world)
    hers = await post(world)
    his = await other.send(world.channel, attachments=[picture()])
    for message in (hers, his):
        await other.react(message, "🔍")
    offers = world.bot.get_cog("OffersCog")
    assert isinstance(offers, OffersCog)
    assert set(offers._looked_up) == {hers.id, his.id}
    await erasure(world).erase_user(world.alice.id, with_wish=True)
    assert set(offers._looked_up) == {his.id}
    offers.forget_channel(world.channel.id)
    assert not offers._looked_up


async def test_the_share_of_the_workers_is_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[Hashable] = []
    monkeypatch.setattr(world.classifier, "forget_group", forgotten.append)
    await erasure(world).erase_user(world.alice.id, with_wish=True)
    await erasure(world).erase_guild(world.guild.id)
    assert forgotten == [world.alice.id, world.guild.id]


def test_a_fair_queue_forgets_a_group_that_waits_for_nothing() -> None:
    from inference.serving.fair_queue import FairQueue  # noqa: PLC0415

    queue: FairQueue[Any] = FairQueue()
    queue.put("first", "group")
    queue.forget("group")
    queue.pop()
    queue.forget("group")
    assert not queue._known
