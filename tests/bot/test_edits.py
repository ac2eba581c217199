"""Found once, answered once: an edit of the images edits the answer, and nothing else does."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import pytest

from bot.delivery.reactions import FAILED, OVER_QUOTA
from inference.results import Busy, CorruptImage
from tests.bot.wishes import post, reactions, server, wish
from tests.world import World, classified, picture

DOG = classified(("beagle", 0.93), ("basset", 0.03))


def uploads(world: World, *files: tuple[str, bytes]) -> list[dict[str, Any]]:
    return world.stored(*files)


async def send(world: World, *attachments: dict[str, Any], content: str = "") -> discord.Message:
    return await world.post(content=content, attachments=list(attachments))


async def edit(world: World, message: discord.Message, **fields: Any) -> None:
    world.env.backend.edit_message(message.channel.id, message.id, fields)
    await world.env.settle()


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_picture_that_is_added_is_named_in_the_same_answer(world: World, restarted: bool) -> None:
    world.classifier.says = {b"dog": DOG}
    cat, dog = uploads(world, picture(), picture("dog.png", b"dog"))
    source = await send(world, cat)
    answer = world.only_answer()
    if restarted:
        await world.restart()
    await edit(world, source, attachments=[cat, dog])
    edited = world.only_answer()
    assert edited.id == answer.id
    assert [embed.title for embed in edited.embeds] == ["1. cat.png", "2. dog.png"]
    assert "beagle" in str(edited.embeds[1].description)


async def test_where_no_picture_can_be_named_just_now_the_answer_stays_and_a_reaction_says_so(
    world: World,
) -> None:
    world.classifier.says = {b"dog": Busy("full")}
    cat, dog = uploads(world, picture(), picture("dog.png", b"dog"))
    source = await send(world, cat)
    before = world.only_answer()
    await edit(world, source, attachments=[dog])
    assert world.only_answer().embeds[0].to_dict() == before.embeds[0].to_dict()
    assert reactions(world, source) == [FAILED]


async def test_an_answer_goes_when_its_picture_gives_way_to_one_that_can_never_be_named(world: World) -> None:
    world.classifier.says = {b"broken": CorruptImage("cut short"), b"dog": DOG}
    cat, broken = uploads(world, picture(), picture("broken.png", b"broken"))
    source = await send(world, cat)
    await edit(world, source, attachments=[broken])
    assert world.answers() == []
    assert reactions(world, source) == [FAILED]
    await edit(world, source, attachments=uploads(world, picture("dog.png", b"dog")))
    assert "beagle" in str(world.only_answer().embeds[0].description)


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_picture_that_is_taken_out_goes_from_the_answer(world: World, restarted: bool) -> None:
    world.classifier.says = {b"dog": DOG}
    cat, dog = uploads(world, picture(), picture("dog.png", b"dog"))
    source = await send(world, cat, dog)
    if restarted:
        await world.restart()
    await edit(world, source, attachments=[dog])
    (embed,) = world.only_answer().embeds
    assert "beagle" in str(embed.description)


@pytest.mark.parametrize("restarted", [False, True])
async def test_when_no_picture_is_left_the_answer_goes(world: World, restarted: bool) -> None:
    (cat,) = uploads(world, picture())
    source = await send(world, cat, content="look")
    if restarted:
        await world.restart()
    await edit(world, source, attachments=[])
    assert world.answers() == []
    await edit(world, source, attachments=[cat])
    assert len(world.answers()) == 1


@pytest.mark.parametrize("restarted", [False, True])
async def test_an_edit_of_the_words_alone_changes_nothing(world: World, restarted: bool) -> None:
    (cat,) = uploads(world, picture())
    source = await send(world, cat)
    if restarted:
        await world.restart()
    asked, requests = len(world.classifier.asked), len(world.env.http_requests)
    await edit(world, source, content="my cat, in words")
    await edit(world, source, attachments=[cat | {"url": cat["url"] + "?ex=1&is=2&hm=3"}])  # signed anew
    assert len(world.classifier.asked) == asked
    assert len(world.env.http_requests) == requests


async def test_words_that_are_edited_where_nothing_was_answered_stay_unanswered(world: World) -> None:
    await server(world, how="on_demand")
    (cat,) = uploads(world, picture())
    source = await send(world, cat)
    await server(world, how="reply")
    await edit(world, source, content="and now?")
    assert world.answers() == []
    await world.restart(watch={"catch_up": 0})
    await edit(world, source, content="or now?")
    assert world.answers() == []


async def test_a_picture_that_comes_with_an_edit_is_answered(world: World) -> None:
    source = await world.alice.send(world.channel, "wait for it")
    await edit(world, source, attachments=uploads(world, picture()))
    assert len(world.answers()) == 1


async def test_an_edit_while_the_pictures_are_looked_at_ends_in_one_right_answer(world: World) -> None:
    world.classifier.says = {b"dog": DOG}
    cat, dog = uploads(world, picture(), picture("dog.png", b"dog"))
    edited = False

    async def meanwhile(__: bytes) -> None:
        nonlocal edited
        if not edited:
            edited = True
            stored = world.channel.history()[0]
            world.env.backend.edit_message(world.channel.id, stored.id, {"attachments": [cat, dog]})
            for _ in range(50):
                await asyncio.sleep(0)

    world.classifier.meanwhile = meanwhile
    await send(world, cat)
    assert len(world.only_answer().embeds) == 2


async def test_pictures_taken_out_while_they_are_looked_at_are_not_answered(world: World) -> None:
    cat = uploads(world, picture())[0]

    async def meanwhile(__: bytes) -> None:
        stored = world.channel.history()[0]
        world.env.backend.edit_message(world.channel.id, stored.id, {"attachments": []})
        for _ in range(200):
            await asyncio.sleep(0)

    world.classifier.meanwhile = meanwhile
    await send(world, cat, content="oops")
    assert world.answers() == []


async def test_an_answer_by_direct_message_is_edited_there(world: World) -> None:
    await wish(world, world.alice, delivery="direct")
    cat, dog = uploads(world, picture(), picture("dog.png", b"dog"))
    source = await send(world, cat)
    await edit(world, source, attachments=[cat, dog])
    assert len(world.only_answer(world.alice.user.dm_channel).embeds) == 2
    await edit(world, source, attachments=[])
    assert world.answers(world.alice.user.dm_channel) == []


async def test_an_answer_that_somebody_deleted_does_not_come_back(world: World) -> None:
    cat, dog = uploads(world, picture(), picture("dog.png", b"dog"))
    source = await send(world, cat)
    world.env.backend.delete_message(world.channel.id, world.only_answer().id)
    await edit(world, source, attachments=[cat, dog])
    assert world.answers() == []


async def test_pictures_that_are_added_count(world: World) -> None:
    await world.restart(limits={"user_images_per_minute": 1, "user_burst": 1})
    cat, dog = uploads(world, picture(), picture("dog.png", b"dog"))
    source = await send(world, cat)
    await edit(world, source, attachments=[cat, dog])
    assert len(world.only_answer().embeds) == 1
    assert reactions(world, source) == [OVER_QUOTA]


async def test_the_answer_to_a_question_is_edited_too(world: World) -> None:
    cat, dog = uploads(world, picture(), picture("dog.png", b"dog"))
    await server(world, how="on_demand")
    source = await send(world, cat, content=world.me.mention)
    await edit(world, source, attachments=[cat, dog])
    assert len(world.only_answer().embeds) == 2


async def test_an_answer_on_demand_is_edited_too(world: World) -> None:
    await server(world, how="react")
    cat, dog = uploads(world, picture(), picture("dog.png", b"dog"))
    source = await send(world, cat)
    await world.alice.react(source, "🔍")
    await edit(world, source, attachments=[cat, dog])
    assert len(world.only_answer().embeds) == 2


@pytest.mark.parametrize("restarted", [False, True])
async def test_deleted_alone_or_in_bulk_pictures_take_their_answers_along(
    world: World, restarted: bool
) -> None:
    one, two, three = [await post(world) for _ in range(3)]
    if restarted:
        await world.restart()
    await world.alice.delete(one)
    world.env.backend.bulk_delete_messages(world.channel.id, [two.id, three.id])
    await world.env.settle()
    assert world.answers() == []


async def test_ten_pictures_get_one_answer(world: World) -> None:
    await world.alice.send(world.channel, attachments=[picture(f"{n}.png") for n in range(10)])
    assert len(world.only_answer().embeds[0].description.splitlines()) == 10  # type: ignore[union-attr]


@pytest.mark.whatsit(limits={"user_images_per_minute": 1, "user_burst": 1})
async def test_many_edits_over_the_quota_set_one_sign(world: World) -> None:
    source = await send(world, *uploads(world, picture()))
    for number in range(20):
        await edit(world, source, attachments=uploads(world, picture(f"{number}.png")))
    puts = [request for request in world.env.http_requests if request.method == "PUT"]
    assert sum("/reactions/" in request.path for request in puts) == 1
    assert reactions(world, source) == [OVER_QUOTA]
