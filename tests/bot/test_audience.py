"""Asking without a command: a mention of the bot, a reply with one, a direct message."""

from __future__ import annotations

import discord
import pytest

from tests.bot.pressing import pressable
from tests.world import World, picture

MENU = "What's in this picture?"
HELP = "Show me a picture"
unwatched = pytest.mark.whatsit(watch={"channels": []})
blind = pytest.mark.whatsit(message_content=False)


@pytest.mark.parametrize("form", ["<@{id}> what is this?", "hm <@!{id}>"])
@unwatched
async def test_a_mention_is_answered_also_where_nothing_is_watched(world: World, form: str) -> None:
    await world.alice.send(world.channel, form.format(id=world.me.id), attachments=[picture()])
    assert "Egyptian cat" in str(world.only_answer().embeds[0].description)


@blind
async def test_a_mention_is_answered_also_without_message_content(world: World) -> None:
    await world.alice.send(world.channel, world.me.mention, attachments=[picture()])
    assert "Egyptian cat" in str(world.only_answer().embeds[0].description)


@unwatched
async def test_a_mention_of_the_bots_own_role_is_one_of_the_bot(world: World) -> None:
    guild = world.bot.get_guild(world.guild.id)
    assert guild is not None
    (role,) = [role for role in guild.me.roles if not role.is_default()]
    role.tags = discord.RoleTags({"bot_id": str(world.me.id)})  # which simcord's roles do not carry
    await world.alice.send(world.channel, role.mention, attachments=[picture()])
    assert len(world.answers()) == 1


@pytest.mark.parametrize("mention", ["@everyone", "@here", "<@&{role}>"])
@unwatched
async def test_a_mention_of_everyone_or_of_another_role_is_none_of_the_bot(
    world: World, mention: str
) -> None:
    role = world.guild.create_role("artists", permissions=discord.Permissions.all(), mentionable=True)
    boss = world.guild.add_member(world.env.create_user("boss"), roles=[role])
    await boss.send(world.channel, mention.format(role=role.id), attachments=[picture()])
    assert world.answers() == []


async def test_a_mention_in_a_watched_channel_gets_one_answer(world: World) -> None:
    await world.alice.send(world.channel, world.me.mention, attachments=[picture()])
    assert len(world.answers()) == 1


@unwatched
async def test_a_mention_in_a_reply_asks_for_the_images_replied_to(world: World) -> None:
    bob = world.guild.add_member(world.env.create_user("bob"))
    posted = await bob.send(world.channel, attachments=[picture()])
    question = await world.alice.send(world.channel, f"{world.me.mention} what is it?", reply_to=posted)

    answer = world.only_answer()
    assert answer.reference is not None
    assert answer.reference.message_id == question.id
    assert "Egyptian cat" in str(answer.embeds[0].description)


@unwatched
async def test_an_answer_about_a_replied_to_image_goes_with_that_image(world: World) -> None:
    bob = world.guild.add_member(world.env.create_user("bob"))
    posted = await bob.send(world.channel, attachments=[picture()])
    await world.alice.send(world.channel, world.me.mention, reply_to=posted)
    await bob.delete(posted)
    assert world.answers() == []


@unwatched
async def test_own_images_come_before_those_replied_to(world: World) -> None:
    posted = await world.alice.send(world.channel, attachments=[picture("theirs.png", b"theirs")])
    await world.alice.send(world.channel, world.me.mention, reply_to=posted, attachments=[picture()])
    assert [data for data, _ in world.classifier.asked] == [b"cat"]


@blind
async def test_without_message_content_a_line_points_to_the_menu_for_images_replied_to(world: World) -> None:
    posted = await world.alice.send(world.channel, attachments=[picture()])
    await world.alice.send(world.channel, world.me.mention, reply_to=posted)
    assert MENU in world.only_answer().content
    assert world.classifier.admitted == []


async def test_a_reply_to_a_message_without_images_says_so(world: World) -> None:
    posted = await world.alice.send(world.channel, "only words")
    await world.alice.send(world.channel, world.me.mention, reply_to=posted)
    assert world.only_answer().content.startswith("I don't see a picture in that message.")


async def test_a_mention_without_any_image_gets_a_word_of_help(world: World) -> None:
    question = await world.alice.send(world.channel, f"{world.me.mention} hello?")
    answer = world.only_answer()
    assert answer.content.startswith(HELP)
    assert answer.reference is not None
    assert answer.reference.message_id == question.id


@pytest.mark.parametrize("words", ["thanks!", "<@{id}> thanks!"])
async def test_a_reply_to_an_answer_is_no_request(world: World, words: str) -> None:
    await world.alice.send(world.channel, attachments=[picture()])
    await world.alice.send(world.channel, words.format(id=world.me.id), reply_to=world.only_answer())
    assert len(world.answers()) == 1


@pytest.mark.parametrize("message_content", [True, False])
async def test_a_reply_to_an_answer_that_brings_images_is_a_request(
    world: World, message_content: bool
) -> None:
    await world.alice.send(world.channel, world.me.mention, attachments=[picture()])
    await world.restart(watch={"channels": []}, message_content=message_content)
    await world.alice.send(world.channel, "and this?", reply_to=world.only_answer(), attachments=[picture()])
    assert len(world.answers()) == 2


@pytest.mark.parametrize("message_content", [True, False])
async def test_in_a_direct_message_every_image_is_answered(world: World, message_content: bool) -> None:
    await world.restart(watch={"channels": []}, message_content=message_content)
    dm = world.alice.user.dm_channel
    source = await world.alice.send_dm(attachments=world.stored(picture(), picture("b.png"), channel=dm))
    answer = world.only_answer(dm)
    assert len(answer.embeds) == 2
    assert answer.reference is not None
    assert answer.reference.message_id == source.id
    assert pressable(answer) == ["More about a picture…", "Delete"]
    assert {group for _, group in world.classifier.admitted} == {world.alice.id}


async def test_in_a_direct_message_words_get_a_word_of_help(world: World) -> None:
    await world.alice.send_dm("hello?")
    assert world.only_answer(world.alice.user.dm_channel).content.startswith("Send me a picture")


async def test_in_a_direct_message_thanks_for_an_answer_are_no_request(world: World) -> None:
    dm = world.alice.user.dm_channel
    await world.alice.send_dm(attachments=world.stored(picture(), channel=dm))
    answer = world.only_answer(dm)
    reference = {"channel_id": str(dm.id), "message_id": str(answer.id)}
    await world.alice.send_dm("thanks!", reference=reference)
    assert len(world.answers(dm)) == 1


async def test_in_a_direct_message_a_file_that_is_no_image_gets_it_too(world: World) -> None:
    await world.alice.send_dm(attachments=world.stored(("notes.txt", b"words")))
    assert world.only_answer(world.alice.user.dm_channel).content.startswith("Send me a picture")


@unwatched
async def test_the_ping_of_a_reply_to_an_answer_that_is_gone_is_no_mention(world: World) -> None:
    backend = world.env.backend
    await world.alice.send(world.channel, world.me.mention, attachments=[picture()])
    answer = world.only_answer()
    reference = {"channel_id": str(world.channel.id), "message_id": str(answer.id)}
    reply = backend.create_message(
        world.channel.id, world.alice.id, "thanks!", reference=reference, broadcast=False
    )
    backend.delete_message(world.channel.id, answer.id)
    backend.announce_message_create(reply)
    await world.env.settle()
    assert world.answers() == []
