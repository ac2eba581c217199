"""A server teaches Whatsit its own words, and reads them in answers beside the model's own names."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from simcord.actors import MemberActor
from simcord.results import InteractionResult

from bot.store import StoreUnavailable
from bot.store.taught_results import MOST_EXAMPLES, MOST_LABELS, NewExample
from inference.knowledge.results import KnowledgeFailed, TaughtAnswer
from inference.results import Busy
from tests.bot.moderation import moderator, refusal, said
from tests.bot.pressing import description, member, options, pressable, private
from tests.world import FakeClassifier, FakeKnowledge, World, classified, picture


@pytest.fixture
def knowledge() -> FakeKnowledge:
    return FakeKnowledge()


@pytest.fixture
def classifier() -> FakeClassifier:
    return FakeClassifier(features=1280, plain=True)


LABELLED = "**Fluffy**, as I was taught here"
SURE = classified(("espresso", 0.94), ("cup", 0.03))


def pictures(*data: bytes) -> dict[str, tuple[str, bytes]]:
    """Options of `/teach`, a picture for each."""
    return {
        f"picture{number if number > 1 else ''}": (f"{number}.png", each)
        for number, each in enumerate(data, 1)
    }


async def teach(
    world: World, label: str = "Fluffy", *data: bytes, teacher: MemberActor | None = None
) -> InteractionResult:
    who = teacher or moderator(world)
    return await who.slash(world.channel, "teach", label=label, **pictures(*(data or (b"fluffy",))))


async def examples(world: World) -> dict[str, list[bytes]]:
    """The examples of each label; "" is "none of these"."""
    kind = world.classifier.info.fingerprints
    assert kind is not None
    names = await world.bot.store.teaching.names(world.guild.id)
    found: dict[str, list[bytes]] = {name: [] for name in names.values()}
    for row in await world.bot.store.teaching.examples(world.guild.id, kind):
        found.setdefault("" if row.label is None else names[row.label], []).append(row.fingerprint)
    return found


async def post(world: World, *data: bytes, spoiler: bool = False) -> discord.Message:
    """Alice posts pictures; what Whatsit answers."""
    prefix = "SPOILER_" if spoiler else ""
    await world.alice.send(
        world.channel, attachments=[picture(f"{prefix}{n}.png", each) for n, each in enumerate(data)]
    )
    return world.answers()[-1]


# Teaching


async def test_a_word_is_taught_with_up_to_five_pictures_and_fingerprints_alone_are_kept(
    world: World,
) -> None:
    mod = moderator(world)
    words = said(await teach(world, "Fluffy", b"1", b"2", b"3", teacher=mod))
    assert words.splitlines() == [
        "I learned **Fluffy** from 3 pictures.",
        "It has 3 of the 5 examples that it needs; until then I'm often wrong.",
    ]
    assert world.classifier.wanted == ["example"] * 3
    words = said(await teach(world, "fluffy", b"3", b"4", b"5", teacher=mod))
    assert words.splitlines() == [
        "I learned **fluffy** from 2 pictures.",
        "1 more I had been taught already.",
        "It has 5 examples now.",
    ]
    assert await examples(world) == {"Fluffy": [b"1", b"2", b"3", b"4", b"5"]}
    (first, *_) = await world.bot.store.teaching.examples_of(
        world.guild.id, await world.bot.store.teaching.find(world.guild.id, "FLUFFY")
    )
    assert first.user_id == mod.id
    assert world.knowledge.forgotten == [world.guild.id] * 2


async def test_labels_that_are_there_are_offered_while_one_types(world: World) -> None:
    mod = moderator(world)
    await teach(world, "Fluffy", b"1", teacher=mod)
    await teach(world, "Bello", b"2", teacher=mod)
    offered = await mod.autocomplete(world.channel, "teach", "label", "flu")
    assert [choice["value"] for choice in offered] == ["Fluffy"]


async def test_who_may_not_teach_is_told_who_may(world: World) -> None:
    bob = member(world, "bob")
    assert refusal(world, await teach(world, teacher=bob)) == (
        "To teach me you need Manage Server. Moderators can let roles do it: `/settings quotas`."
    )
    role = world.guild.create_role("teachers")
    words = said(await moderator(world).slash(world.channel, "settings quotas", teacher=role))
    assert f"**Roles that may teach me words**: <@&{role.id}>" in words
    assert refusal(world, await teach(world, teacher=bob)) == (
        f"To teach me you need Manage Server or one of these roles: <@&{role.id}>."
    )
    assert await examples(world) == {}
    carol = world.guild.add_member(world.env.create_user("carol"), roles=[role])
    assert "I learned **Fluffy**" in said(await teach(world, teacher=carol))


async def test_whoever_wants_to_be_left_alone_teaches_nothing_either(world: World) -> None:
    mod = moderator(world)
    await world.bot.store.members.update(mod.id, {"leave_alone": True})
    assert "You asked me not to look at your pictures" in refusal(world, await teach(world, teacher=mod))
    assert await examples(world) == {}
    assert world.classifier.asked == []


async def test_a_model_that_gives_no_fingerprints_cannot_be_taught(world: World) -> None:
    world.classifier.features = 0
    assert refusal(world, await teach(world)) == (
        "MobileNetV2, the model I use here, can't be taught. Choose another one: `/settings what`."
    )


async def test_a_picture_is_taught_once(world: World) -> None:
    mod = moderator(world)
    await teach(world, "Fluffy", b"1", teacher=mod)
    assert refusal(world, await teach(world, "Bello", b"1", teacher=mod)) == (
        "I was taught that already: it is an example of **Fluffy**. To take it out: `/labels examples`."
    )
    assert await examples(world) == {"Fluffy": [b"1"]}


async def test_too_many_labels_and_examples_are_refused_in_words(world: World) -> None:
    kind = str(world.classifier.info.fingerprints)
    many = [NewExample(b"x%d" % number) for number in range(MOST_EXAMPLES)]
    await world.bot.store.teaching.teach(world.guild.id, "Fluffy", kind, many)
    mod = moderator(world)
    assert refusal(world, await teach(world, "Fluffy", b"1", teacher=mod)) == (
        "**Fluffy** has 200 examples, and 200 are the most. Remove some first: `/labels examples`."
    )
    for number in range(MOST_LABELS - 1):
        await world.bot.store.teaching.teach(
            world.guild.id, f"l{number}", kind, [NewExample(b"y%d" % number)]
        )
    assert refusal(world, await teach(world, "Bello", b"1", teacher=mod)).startswith(
        "This server has 100 labels, and more I can't take."
    )


async def test_what_cannot_be_looked_at_is_said_and_the_others_teach(world: World) -> None:
    world.classifier.says = {b"2": Busy("full")}
    words = said(await teach(world, "Fluffy", b"1", b"2"))
    assert "I learned **Fluffy** from 1 picture." in words
    assert "2.png: I'm busy right now. Send it again in a minute." in words
    world.classifier.says = {b"3": Busy("full")}
    assert said(await teach(world, "Fluffy", b"3")) == "1.png: I'm busy right now. Send it again in a minute."
    assert await examples(world) == {"Fluffy": [b"1"]}


async def test_it_counts_as_pictures_of_whoever_teaches(world: World) -> None:
    await world.bot.store.guilds.update(world.guild.id, {"member_per_minute": 2})
    mod = moderator(world)
    words = said(await teach(world, "Fluffy", b"1", b"2", b"3", teacher=mod))
    assert "from 2 pictures" in words
    assert "1 more picture was over the limit." in words
    assert "Try again" in refusal(world, await teach(world, "Fluffy", b"4", teacher=mod))


async def test_a_name_is_one_line_and_no_markdown_works_in_it(world: World) -> None:
    assert "**\\*\\*x\\*\\* y**" in said(await teach(world, "**x**\n  y", b"1"))
    assert refusal(world, await teach(world, "  ", b"2")) == "A label needs a name."
    assert await examples(world) == {"**x** y": [b"1"]}


async def test_a_store_that_fails_is_said_in_a_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise StoreUnavailable("The disk is full.")

    monkeypatch.setattr(world.bot.store.teaching, "teach", fails)
    result = await teach(world)
    assert "nothing was learned" in refusal(world, result)


# Taught names in answers


async def test_a_server_that_taught_nothing_is_asked_for_no_fingerprint(world: World) -> None:
    await post(world, b"cat")
    assert world.classifier.wanted == [""]


async def test_a_taught_name_stands_above_the_models_own(world: World) -> None:
    await teach(world)
    answer = await post(world, b"fluffy")
    assert world.classifier.wanted[-1] == "query"
    lines = description(answer).splitlines()
    assert lines[0] == f"🏷️ {LABELLED}"
    assert lines[1:3] == ["By my own names:", "Probably **an Egyptian cat**."]


async def test_a_name_that_the_model_is_sure_of_is_never_hidden(world: World) -> None:
    world.classifier.otherwise = SURE
    await teach(world)
    lines = description(await post(world, b"fluffy")).splitlines()
    assert lines[0] == f"🏷️ {LABELLED}"
    assert lines[1] == "By my own names I'm sure, though:"
    assert "**espresso**" in lines[2]


async def test_where_the_model_says_the_same_it_is_not_said_to_differ(world: World) -> None:
    world.classifier.otherwise = SURE
    await teach(world, "Espresso")
    lines = description(await post(world, b"fluffy")).splitlines()
    assert lines[0] == "🏷️ **Espresso**, as I was taught here"
    assert "**espresso**" in lines[1]


async def test_a_name_from_very_few_pictures_is_said_with_a_maybe(world: World) -> None:
    world.knowledge.few = True
    await teach(world)
    assert description(await post(world, b"fluffy")).startswith(
        "🏷️ Maybe **Fluffy**, as I was taught here from very few pictures\n"
    )


async def test_a_stranger_has_the_models_names_alone(world: World) -> None:
    await teach(world)
    answer = await post(world, b"cat")
    assert "🏷️" not in description(answer)
    assert "Not this" not in pressable(answer)


@pytest.mark.parametrize("style", ["compact", "bars"])
async def test_in_a_line_it_stands_before_the_models_own(world: World, style: str) -> None:
    await teach(world)
    await world.bot.store.guilds.update(world.guild.id, {"style": style})
    answer = await post(world, *([b"fluffy"] * (1 if style == "compact" else 6)))
    first = description(answer).splitlines()[0]
    assert "🏷️ **Fluffy** · " in first
    assert "Egyptian cat" in first


async def test_a_spoiler_hides_a_taught_name_too(world: World) -> None:
    await teach(world)
    words = description(await post(world, b"fluffy", spoiler=True))
    assert words.startswith("||🏷️")
    assert words.endswith("||")


async def test_other_servers_and_direct_messages_know_nothing_of_it(world: World) -> None:
    await teach(world)
    await world.alice.send_dm(
        attachments=world.stored(picture(data=b"fluffy"), channel=world.alice.user.dm_channel)
    )
    assert "🏷️" not in description(world.only_answer(world.alice.user.dm_channel))


async def test_a_label_that_is_gone_is_not_said(world: World) -> None:
    await teach(world)
    await teach(world, "Bello", b"bello")
    world.knowledge.says[b"fluffy"] = TaughtAnswer(1, 0.9, 0.3, accepted=True, few=False)
    assert "🏷️" not in description(await post(world, b"fluffy"))


async def test_where_what_was_taught_cannot_be_asked_the_model_answers_alone(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await teach(world)
    world.knowledge.fails = KnowledgeFailed("Its process ended.")
    assert "Probably **an Egyptian cat**." in description(await post(world, b"fluffy"))
    assert f"What the server {world.guild.id} taught could not be asked." in caplog.text


async def test_it_is_recognised_after_a_restart(world: World) -> None:
    await teach(world)
    await world.restart()
    assert LABELLED in description(await post(world, b"fluffy"))


async def test_more_says_it_too_after_a_restart(world: World) -> None:
    await teach(world)
    answer = await post(world, b"fluffy")
    await world.restart()
    shown = private(await member(world, "bob").click(answer, label="More"))
    assert description(shown).startswith(f"🏷️ {LABELLED}")


async def test_in_the_menu_of_several_pictures_it_is_called_by_its_taught_name(world: World) -> None:
    await teach(world)
    answer = await post(world, b"fluffy", b"cat")
    assert list(options(answer)) == ["1. 🏷️ Fluffy", "2. Egyptian cat"]
    shown = private(await world.alice.select(answer, [options(answer)["1. 🏷️ Fluffy"]]))
    assert "Not this" in pressable(shown)


# Not this


async def not_this(world: World, answer: discord.Message, who: MemberActor | None = None) -> str:
    return private(await (who or moderator(world)).click(answer, label="Not this")).content


async def test_a_teacher_says_that_it_is_none_of_the_labels(world: World) -> None:
    await teach(world)
    await teach(world, "Bello", b"bello")
    label = await world.bot.store.teaching.find(world.guild.id, "Fluffy")
    assert label is not None
    world.knowledge.says[b"cat"] = TaughtAnswer(label, 0.9, 0.3, accepted=True, few=False)
    answer = await post(world, b"cat")
    assert pressable(answer)[-1] == "Not this"
    assert await not_this(world, answer) == "I learned “none of these” from 1 picture."
    assert (await examples(world))[""] == [b"cat"]
    (example,) = await world.bot.store.teaching.examples_of(world.guild.id, None)
    assert example.user_id == world.alice.id
    assert (example.channel_id, example.message_id) == (
        world.channel.id,
        answer.reference and answer.reference.message_id,
    )


async def test_nobody_else_may_say_so(world: World) -> None:
    await teach(world)
    answer = await post(world, b"fluffy")
    assert (await not_this(world, answer, world.alice)).startswith("To teach me you need Manage Server.")
    assert "" not in await examples(world)


async def test_an_example_of_the_label_is_not_none_of_these(world: World) -> None:
    await teach(world)
    assert (await not_this(world, await post(world, b"fluffy"))).startswith("I was taught that already")


async def test_a_member_who_opted_out_meanwhile_is_not_taught_from(world: World) -> None:
    await teach(world)
    answer = await post(world, b"fluffy")
    await world.bot.store.members.update(world.alice.id, {"leave_alone": True})
    assert await not_this(world, answer) == (
        "The poster has asked me not to look at their pictures, so I can't be taught with them."
    )


async def test_of_several_files_the_picture_that_was_named_is_taught(world: World) -> None:
    await teach(world)
    world.classifier.says = {b"other": classified(("mouse", 0.9))}
    answer = await post(world, b"other", b"fluffy")
    mod = moderator(world)
    shown = private(await mod.select(answer, [options(answer)["2. 🏷️ Fluffy"]]))
    assert pressable(shown)[-1] == "Not this"
    world.classifier.asked.clear()
    private(await mod.click(shown, label="Not this"))
    assert [data for data, _ in world.classifier.asked] == [b"fluffy"]


async def test_a_picture_that_is_gone_teaches_nothing(world: World) -> None:
    await teach(world)
    answer = await post(world, b"fluffy")
    assert answer.reference is not None
    assert answer.reference.message_id is not None
    world.env.backend.delete_message(world.channel.id, answer.reference.message_id)
    remaining: Any = await moderator(world).click(answer, label="Not this")
    assert "can't find the picture" in private(remaining).content


# Why?


async def test_why_shows_first_where_the_taught_label_was_seen(world: World) -> None:
    await teach(world)
    answer = await post(world, b"fluffy")
    bob = member(world, "bob")
    shown = private(await bob.click(private(await bob.click(answer, label="More")), label="Why?"))
    ((_, classes),) = world.classifier.explained
    label = await world.bot.store.teaching.find(world.guild.id, "Fluffy")
    assert classes[0] == f"what speaks for {label}".encode()
    assert len(classes) == 4
    assert str(shown.attachments[0].description).startswith(
        "The picture under a heat map for each of these names: Fluffy, Egyptian cat"
    )


async def test_why_does_without_the_taught_label_where_it_cannot_be_asked(world: World) -> None:
    await teach(world)
    answer = await post(world, b"fluffy")
    world.knowledge.fails = KnowledgeFailed("Its process ended.")
    bob = member(world, "bob")
    private(await bob.click(private(await bob.click(answer, label="More")), label="Why?"))
    ((_, classes),) = world.classifier.explained
    assert len(classes) == 3


# Another model


async def test_after_a_change_of_model_it_is_said_once_what_must_be_taught_again(world: World) -> None:
    await teach(world)
    teaching = world.bot.store.teaching
    await teaching.teach(world.guild.id, "Bello", "another model", [NewExample(b"old")])
    notice = "so 1 word must be taught again. Moderators see which with `/labels show`."
    private(await world.alice.slash(world.channel, "classify", picture=picture(), private=True))
    assert notice in (await post(world, b"old")).content
    assert notice not in (await post(world, b"old")).content
    await world.restart()
    assert notice not in (await post(world, b"old")).content


async def test_where_all_is_of_the_present_model_nothing_is_said(world: World) -> None:
    await teach(world)
    assert (await post(world, b"fluffy")).content == ""


# Being forgotten


async def test_a_member_has_their_pictures_taken_out(world: World) -> None:
    mod = moderator(world)
    await teach(world, "Fluffy", b"1", teacher=mod)
    panel = private(await mod.slash(world.channel, "privacy delete"))
    await mod.click(panel.message, label="Forget me")
    assert await examples(world) == {"Fluffy": []}
    assert world.knowledge.forgotten[-1] == world.guild.id
    assert "🏷️" not in description(await post(world, b"1"))
