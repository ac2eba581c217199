"""Pictures are found again, by name or by likeness, by those who may read the channel at that moment."""

from __future__ import annotations

import os
import signal
from typing import Any

import discord
import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.results import InteractionResult

from bot.store.indexed_images import NewImage
from bot.store.taught_results import NewExample
from tests.bot.moderation import moderator, said
from tests.bot.pressing import member, now, pressable, private
from tests.world import World, classified, picture

CATS = classified(("Egyptian cat", 0.91), coarse={"cat": 0.95})
ESPRESSO = classified(("espresso", 0.94))


pytestmark = pytest.mark.simcord(settle_timeout=60.0)  # the process that searches has to start


@pytest.fixture(autouse=True)
def features(world: World) -> None:
    """The model gives fingerprints."""
    world.classifier.features = 32


async def index(world: World, *channels: ChannelHandle, **more: Any) -> None:
    """A moderator turns the index on for these channels alone."""
    ids = tuple(channel.id for channel in channels or (world.channel,))
    await world.bot.store.guilds.update(world.guild.id, {"index_channels": ids, **more})


async def post(world: World, data: bytes = b"cat", channel: ChannelHandle | None = None) -> discord.Message:
    return await world.alice.send(channel or world.channel, attachments=[picture(data=data)])


async def similar(world: World, data: bytes = b"cat", who: MemberActor | None = None) -> str:
    result = await (who or world.alice).slash(world.channel, "similar", image=picture(data=data))
    return words(result)


async def find(world: World, text: str, who: MemberActor | None = None) -> str:
    return words(await (who or world.alice).slash(world.channel, "find", text=text))


def words(result: InteractionResult) -> str:
    """What the asker alone reads, once it is there."""
    return private(result).message.content


def refused(world: World, text: str) -> str:
    """The words with which a command was refused; to discord.py that is an error, which the cog handles."""
    assert world.env.errors
    return text


def links(text: str) -> list[int]:
    """The messages that are linked to, in their order."""
    return [int(line.split("/")[-1].split(" ")[0]) for line in text.splitlines() if "https://" in line]


async def test_without_a_moderators_wish_nothing_is_kept_and_no_feature_asked_for(world: World) -> None:
    await post(world)
    assert world.classifier.featured == []
    assert await world.bot.store.images.places(world.guild.id) == []
    assert "A moderator can turn that on" in refused(world, await similar(world))
    assert "A moderator can turn that on" in refused(world, await find(world, "cat"))


async def test_pictures_that_were_answered_are_found_by_likeness_the_likest_first(world: World) -> None:
    await index(world)
    posted = {data: await post(world, data) for data in (b"coffee", b"cat", b"dog")}
    assert len(world.classifier.featured) == 3
    text = await similar(world, b"cat")
    assert text.startswith("The pictures that look most like it")
    assert links(text)[0] == posted[b"cat"].id
    assert sorted(links(text)) == sorted(message.id for message in posted.values())
    url = f"https://discord.com/channels/{world.guild.id}/{world.channel.id}/{posted[b'cat'].id}"
    assert f"1. {url} · <t:" in text


async def test_a_message_in_the_index_is_compared_without_a_second_look(world: World) -> None:
    await index(world)
    first, second = await post(world, b"cat"), await post(world, b"dog")
    asked = len(world.classifier.asked)
    found = links(words(await member(world, "bob").context_menu(world.channel, "Find similar", first)))
    assert found == [second.id]
    assert len(world.classifier.asked) == asked


async def test_a_message_outside_the_index_is_looked_at(world: World) -> None:
    await index(world)
    posted = await post(world, b"cat")
    elsewhere = world.guild.create_text_channel("elsewhere")
    other = await post(world, b"cat", elsewhere)
    assert links(words(await world.alice.context_menu(elsewhere, "Find similar", other))) == [posted.id]


async def test_only_channels_that_the_asker_may_read_are_searched_at_each_page(world: World) -> None:
    hidden, bob = hidden_channel(world), insider(world)
    await index(world, world.channel, hidden)
    seen = [(await post(world, f"seen {number}".encode())).id for number in range(11)]
    for number in range(4):
        await world.post(hidden, attachments=world.stored(picture(data=f"hidden {number}".encode())))
    assert len(links(await similar(world, b"seen 1"))) == 10
    first = private(await bob.slash(world.channel, "similar", image=picture(data=b"hidden 1")))
    assert set(links(first.message.content)) - set(seen), "an insider finds what is hidden"
    assert pressable(first) == ["Next"]
    world.env.backend.remove_member_role(world.guild.id, bob.id, world.guild.roles["insiders"].id)
    await bob.click(first, label="Next")
    second = now(world, first)
    assert len(links(second.content)) == 1, "of 11 that are left for bob"
    assert set(links(second.content)) <= set(seen)
    assert pressable(second) == ["Previous"]
    await bob.click(second, label="Previous")
    assert set(links(now(world, first).content)) <= set(seen)


async def test_names_of_what_is_hidden_are_not_told(world: World) -> None:
    hidden, bob = hidden_channel(world), insider(world)
    await index(world, world.channel, hidden)
    world.classifier.says = {b"cat": CATS, b"coffee": ESPRESSO}
    await post(world, b"cat")
    await world.post(hidden, attachments=world.stored(picture(data=b"coffee")))
    assert await offered(world, "", bob) == ["cat", "Egyptian cat", "espresso"]
    assert await offered(world, "", world.alice) == ["cat", "Egyptian cat"]
    assert "I don't call any picture here “espresso”" in refused(world, await find(world, "espresso"))


async def test_pictures_are_found_by_either_name_newest_first(world: World) -> None:
    await index(world)
    world.classifier.says = {b"cat": CATS, b"cat 2": CATS, b"coffee": ESPRESSO}
    posted = [await post(world, data) for data in (b"cat", b"coffee", b"cat 2")]
    text = await find(world, "Egyptian CAT")
    assert text.startswith("2 pictures of **Egyptian cat**, the newest first:")
    assert links(text) == [posted[2].id, posted[0].id]
    assert links(await find(world, "cat")) == [posted[2].id, posted[0].id]
    assert (await find(world, "espresso")).startswith("1 picture of **espresso**:")


async def test_a_word_that_the_server_taught_is_found_too(world: World) -> None:
    await index(world)
    posted = await post(world, b"cat")
    number = await teach(world, "Fluffy", posted)
    assert "Fluffy" in await offered(world, "fluf", world.alice)
    text = await find(world, "fluffy")
    assert text.startswith("1 picture of **Fluffy**:")
    assert links(text) == [posted.id]
    assert links(await find(world, f"taught {number}")) == [posted.id]


async def teach(world: World, name: str, posted: discord.Message) -> int:
    """The server teaches a word, and the picture is recognised by it."""
    store, kind = world.bot.store, world.classifier.info.fingerprints
    await store.teaching.teach(
        world.guild.id, name, kind or "", [NewExample(world.classifier.fingerprint(b"cat"))]
    )
    (number,) = await store.teaching.names(world.guild.id)
    (row,) = await store.images.of_message(posted.id)
    columns = {column.name: getattr(row, column.name) for column in row.__table__.c}
    await store.images.add([NewImage(**{**columns, "taught": number})])
    return number


async def test_a_name_may_be_typed_in_any_language(world: World) -> None:
    await index(world)
    world.classifier.says = {b"cat": CATS}
    posted = await post(world, b"cat")
    assert links(await find(world, "Katze")) == links(await find(world, "猫")) == [posted.id]


async def test_names_are_offered_in_the_askers_language(world: World) -> None:
    await index(world)
    world.classifier.says = {b"cat": CATS}
    await post(world, b"cat")
    await world.bot.store.members.update(world.alice.id, {"language": "de"})
    assert await offered(world, "katz", world.alice) == ["Katze"]


async def test_a_name_in_doubt_is_not_searched_for_and_the_picture_is_found_by_likeness(world: World) -> None:
    await index(world)
    world.classifier.says = {b"what": classified(("espresso", 0.1), ("cup", 0.09))}
    posted = await post(world, b"what")
    assert await offered(world, "", world.alice) == []
    assert links(await similar(world, b"what")) == [posted.id]


async def test_a_deleted_message_leaves_the_index(world: World) -> None:
    await index(world)
    kept, gone = await post(world, b"cat"), await post(world, b"dog")
    assert len(links(await similar(world, b"dog"))) == 2
    await world.alice.delete(gone)
    assert links(await similar(world, b"dog")) == [kept.id]
    assert await world.bot.store.images.of_message(gone.id) == []


async def test_what_was_deleted_while_the_bot_was_away_is_not_linked_to(world: World) -> None:
    await index(world)
    kept, gone = await post(world, b"cat"), await post(world, b"dog")
    world.env.inject_error("GET", f"/channels/{world.channel.id}/messages/{gone.id}", status=404, code=10008)
    assert links(await similar(world, b"dog")) == [kept.id]
    assert await world.bot.store.images.of_message(gone.id) == []


async def test_an_edit_changes_what_is_found(world: World) -> None:
    await index(world)
    posted = await post(world, b"cat")
    world.env.backend.edit_message(world.channel.id, posted.id, {"attachments": []})
    await world.env.settle()
    assert await world.bot.store.images.of_message(posted.id) == []


async def test_taking_a_channel_off_the_list_erases_it(world: World) -> None:
    other = world.guild.create_text_channel("other")
    await index(world, world.channel, other)
    here, there = await post(world, b"cat"), await post(world, b"dog", other)
    assert len(links(await similar(world))) == 2
    result = await moderator(world).slash(world.channel, "settings where", unindex=other)
    assert "Pictures can be found again in" in said(result)
    assert links(await similar(world)) == [here.id]
    assert await world.bot.store.images.of_message(there.id) == []
    await world.bot.store.guilds.reset(world.guild.id)
    assert "A moderator can turn that on" in refused(world, await similar(world))
    assert await world.bot.store.images.guilds() == []


async def test_a_deleted_channel_leaves_the_index_with_its_threads(world: World) -> None:
    other = world.guild.create_text_channel("other")
    await index(world, world.channel, other)
    await post(world, b"cat", other)
    await world.post(world.thread(other), attachments=world.stored(picture(data=b"dog")))
    assert len(await world.bot.store.images.places(world.guild.id)) == 1
    world.env.backend.delete_channel(other.id)
    await world.env.settle()
    assert await world.bot.store.images.guilds() == []
    assert (await world.bot.store.guilds.get(world.guild.id)).index_channels == (world.channel.id,)


async def test_a_thread_is_found_by_whoever_may_read_its_channel(world: World) -> None:
    await index(world)
    thread = world.thread(world.channel)
    posted = await world.post(thread, attachments=world.stored(picture(data=b"cat")))
    text = await similar(world)
    assert links(text) == [posted.id]
    assert f"/{thread.id}/{posted.id}" in text


async def test_whoever_wants_to_be_left_alone_is_not_in_it_any_more(world: World) -> None:
    await index(world)
    await post(world, b"cat")
    bobs = await member(world, "bob").send(world.channel, attachments=[picture(data=b"dog")])
    assert len(links(await similar(world))) == 2
    await world.bot.store.members.update(world.alice.id, {"leave_alone": True})
    assert links(await similar(world, who=member(world, "carol"))) == [bobs.id]
    await post(world, b"mouse")
    assert await world.bot.store.images.guilds_of(world.alice.id) == []
    result = await member(world, "dave").context_menu(world.channel, "Find similar", await post(world))
    assert said(result) == "The poster has asked me not to look at their pictures."


async def test_an_erased_person_is_not_in_it_any_more(world: World) -> None:
    await index(world)
    await post(world, b"cat")
    assert links(await similar(world))
    await world.bot.store.erase_user(world.alice.id)
    assert "A moderator can turn that on" in refused(world, await similar(world))


async def test_a_spoiler_is_not_kept(world: World) -> None:
    await index(world)
    await world.alice.send(world.channel, attachments=[picture("SPOILER_cat.png")])
    assert await world.bot.store.images.guilds() == []


async def test_it_survives_the_death_of_the_process_that_searches(world: World) -> None:
    await index(world)
    posted = await post(world)
    assert links(await similar(world)) == [posted.id]
    search = knowledge(world)
    assert search.pid is not None
    os.kill(search.pid, signal.SIGKILL)
    assert links(await similar(world)) == [posted.id]


async def test_it_is_there_after_a_restart(world: World) -> None:
    await index(world)
    posted = await post(world)
    await world.restart()
    assert links(await similar(world)) == [posted.id]


async def test_a_model_without_features_says_that_it_cannot_compare(world: World) -> None:
    await index(world)
    await post(world)
    world.classifier.features = 0
    assert (
        refused(world, await similar(world))
        == "The model in use here can only name pictures, not compare them."
    )


async def test_a_look_counts_as_a_picture_of_whoever_asks(world: World) -> None:
    await index(world, member_per_minute=1)
    await post(world)
    bob = member(world, "bob")
    assert links(await similar(world, who=bob))
    assert "Try again" in refused(world, await similar(world, who=bob))


async def test_pages_of_a_question_that_is_forgotten_say_so(world: World) -> None:
    await index(world)
    for number in range(11):
        await post(world, f"{number}".encode())
    shown = private(await world.alice.slash(world.channel, "similar", image=picture()))
    await world.restart()
    result = await world.alice.click(shown, label="Next")
    assert "I no longer know which picture" in result.followups[0].content


def knowledge(world: World) -> Any:
    """What asks the process that searches."""
    return world.bot.close_too[0].__self__  # type: ignore[attr-defined]


def hidden_channel(world: World) -> ChannelHandle:
    """A channel for those alone who have the role of insiders; the bot has it."""
    role = world.guild.create_role("insiders")
    sees: dict[Any, discord.PermissionOverwrite] = {
        world.guild.default_role: discord.PermissionOverwrite(view_channel=False),
        role: discord.PermissionOverwrite(view_channel=True),
        world.me: discord.PermissionOverwrite(view_channel=True),
    }
    return world.guild.create_text_channel("hidden", overwrites=sees)


def insider(world: World) -> MemberActor:
    return world.guild.add_member(world.env.create_user("bob"), roles=[world.guild.roles["insiders"]])


async def offered(world: World, typed: str, who: MemberActor) -> list[str]:
    """The names that Discord shows under what was typed."""
    return [choice["name"] for choice in await who.autocomplete(world.channel, "find", "text", typed)]
