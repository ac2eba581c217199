"""A message's menu, and "No, what is it?" under an answer, ask what a picture is, and teach it."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from simcord.actors import MemberActor
from simcord.results import InteractionResult

from bot.store.taught_results import NewExample
from tests.bot.moderation import moderator, refusal
from tests.bot.pressing import member, now, options, pressable, private
from tests.world import FakeClassifier, FakeKnowledge, World, picture


@pytest.fixture
def knowledge() -> FakeKnowledge:
    return FakeKnowledge()


@pytest.fixture
def classifier() -> FakeClassifier:
    return FakeClassifier(features=1280, plain=True)


MENU = "Teach Whatsit…"


async def taught(world: World, *names: str) -> None:
    kind = str(world.classifier.info.fingerprints)
    for name in names:
        await world.bot.store.teaching.teach(world.guild.id, name, kind, [NewExample(name.encode())])


async def examples(world: World) -> dict[str, list[bytes]]:
    kind = str(world.classifier.info.fingerprints)
    names = await world.bot.store.teaching.names(world.guild.id)
    found: dict[str, list[bytes]] = {name: [] for name in names.values()}
    for row in await world.bot.store.teaching.examples(world.guild.id, kind):
        found.setdefault("" if row.label is None else names[row.label], []).append(row.fingerprint)
    return found


async def label(world: World, name: str) -> str:
    return str(await world.bot.store.teaching.find(world.guild.id, name))


async def posted(world: World, *data: bytes, who: MemberActor | None = None) -> discord.Message:
    files = [picture(f"{n}.png", each) for n, each in enumerate(data)]
    await (who or world.alice).send(world.channel, attachments=files)
    return [message for message in world.channel.history() if message.author.id != world.me.id][-1]


async def sent(world: World, who: MemberActor, asked: InteractionResult, **values: Any) -> str:
    """What is said when the form is sent with these values."""
    result = await who.submit_modal(asked, values)
    assert result.response is not None
    assert result.response.ephemeral
    return result.response.content


async def test_a_message_s_pictures_are_taught_a_new_word(world: World) -> None:
    message, mod = await posted(world, b"1", b"2"), moderator(world)
    asked = await mod.context_menu(world.channel, MENU, message)
    assert (await sent(world, mod, asked, new="Fluffy")).startswith("I learned **Fluffy** from 2 pictures.")
    assert await examples(world) == {"Fluffy": [b"1", b"2"]}
    (newest, *_) = await world.bot.store.teaching.examples_of(
        world.guild.id, int(await label(world, "Fluffy"))
    )
    assert (newest.user_id, newest.channel_id, newest.message_id) == (
        world.alice.id, world.channel.id, message.id,
    )  # fmt: skip


async def test_a_known_word_is_picked_from_a_menu(world: World) -> None:
    await taught(world, "Fluffy", "Bello")
    message, mod = await posted(world, b"1"), moderator(world)
    asked = await mod.context_menu(world.channel, MENU, message)
    await sent(world, mod, asked, known=[await label(world, "Bello")])
    assert await examples(world) == {"Fluffy": [b"Fluffy"], "Bello": [b"Bello", b"1"]}
    other = await posted(world, b"2")
    asked = await mod.context_menu(world.channel, MENU, other)
    assert (await sent(world, mod, asked, known=["none"])).startswith("I learned “none of these”")
    assert (await examples(world))[""] == [b"2"]


async def test_a_form_without_a_word_teaches_nothing(world: World) -> None:
    await taught(world, "Fluffy")
    message, mod = await posted(world, b"1"), moderator(world)
    asked = await mod.context_menu(world.channel, MENU, message)
    assert await sent(world, mod, asked) == "A label needs a name."
    assert await examples(world) == {"Fluffy": [b"Fluffy"]}


async def test_a_form_outlives_a_restart(world: World) -> None:
    message, mod = await posted(world, b"1"), moderator(world)
    asked = await mod.context_menu(world.channel, MENU, message)
    await world.restart()
    await sent(world, mod, asked, new="Fluffy")
    assert await examples(world) == {"Fluffy": [b"1"]}


async def test_who_may_not_and_what_cannot_be_is_said_before_the_form(world: World) -> None:
    message, mod = await posted(world, b"1"), moderator(world)
    refused = await member(world, "bob").context_menu(world.channel, MENU, message)
    assert refusal(world, refused).startswith("To teach me you need Manage Server.")
    await world.bot.store.members.update(world.alice.id, {"leave_alone": True})
    assert refusal(world, await mod.context_menu(world.channel, MENU, message)).startswith(
        "The poster has asked me not to look at their pictures"
    )
    words = await world.post(content="no picture", author=mod.id)
    assert refusal(world, await mod.context_menu(world.channel, MENU, words)) == (
        "I don't see a picture in that message."
    )
    world.classifier.features = 0
    await world.bot.store.members.update(world.alice.id, {"leave_alone": False})
    assert "can't be taught" in refusal(world, await mod.context_menu(world.channel, MENU, message))


async def test_a_poster_who_opted_out_while_the_form_was_open_is_not_taught_from(world: World) -> None:
    message, mod = await posted(world, b"1"), moderator(world)
    asked = await mod.context_menu(world.channel, MENU, message)
    await world.bot.store.members.update(world.alice.id, {"leave_alone": True})
    assert (await sent(world, mod, asked, new="Fluffy")).startswith("The poster has asked me")
    assert await examples(world) == {}


async def test_a_message_that_is_gone_teaches_nothing(world: World) -> None:
    message, mod = await posted(world, b"1"), moderator(world)
    asked = await mod.context_menu(world.channel, MENU, message)
    world.env.backend.delete_message(world.channel.id, message.id)
    assert "can't find the picture" in await sent(world, mod, asked, new="Fluffy")


# Under an answer


async def test_the_button_is_there_once_something_was_taught_and_a_server_can_take_it_away(
    world: World,
) -> None:
    await posted(world, b"1")
    assert "No, what is it?" not in pressable(world.answers()[-1])
    await taught(world, "Fluffy")
    await posted(world, b"2")
    assert pressable(world.answers()[-1])[-1] == "No, what is it?"
    await moderator(world).slash(world.channel, "settings what", teach=False)
    await posted(world, b"3")
    assert "No, what is it?" not in pressable(world.answers()[-1])


async def test_a_teacher_says_what_it_is_instead(world: World) -> None:
    await taught(world, "Fluffy")
    await posted(world, b"1")
    mod = moderator(world)
    asked = await mod.click(world.answers()[-1], label="No, what is it?")
    assert (await sent(world, mod, asked, new="Bello")).startswith("I learned **Bello** from 1 picture.")
    assert (await examples(world))["Bello"] == [b"1"]
    (example,) = await world.bot.store.teaching.examples_of(world.guild.id, int(await label(world, "Bello")))
    assert example.user_id == world.alice.id


async def test_nobody_else_can(world: World) -> None:
    await taught(world, "Fluffy")
    await posted(world, b"1")
    refused = private(await world.alice.click(world.answers()[-1], label="No, what is it?"))
    assert refused.content.startswith("To teach me you need Manage Server.")


@pytest.mark.parametrize("is_taught", [True, False])
async def test_of_several_pictures_one_is_picked_first(world: World, is_taught: bool) -> None:
    if is_taught:
        await taught(world, "Fluffy")
    await posted(world, b"1", b"2")
    answer, mod = world.answers()[-1], moderator(world)
    shown = private(await mod.select(answer, [list(options(answer).values())[1]]))
    assert ("No, what is it?" in pressable(shown)) is is_taught


async def test_whoever_says_no_to_was_this_right_can_teach_it_if_they_may(world: World) -> None:
    await posted(world, b"1")
    answer, mod = world.answers()[-1], moderator(world)
    question = private(await world.alice.click(answer, label="Was this right?"))
    await world.alice.click(question, label="No")
    assert "Teach me this…" not in pressable(now(world, question))
    await world.bot.store.guilds.update(world.guild.id, {"teachers": [world.guild.create_role("t").id]})
    boss = member(world, "boss", discord.Permissions(manage_guild=True, manage_messages=True))
    question = private(await boss.click(answer, label="Was this right?"))
    await boss.click(question, label="No")
    asked = await boss.click(now(world, question), label="Teach me this…")
    await sent(world, boss, asked, new="Fluffy")
    assert await examples(world) == {"Fluffy": [b"1"]}
    assert mod.id != boss.id
