"""What members chose in `/preferences` is obeyed wherever they meet Whatsit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from simcord.actors import MemberActor

from bot import i18n
from bot.delivery.reactions import OFFER
from bot.store import StoreUnavailable
from inference.results import CorruptImage
from tests.bot.wishes import post, reactions, server, wish
from tests.world import World, picture

MENU = "What's in this picture?"
YOURSELF = "You asked me not to look at the pictures you post."
OTHER = "The poster has asked me not to look at their pictures."


@pytest.fixture
async def bob(world: World) -> MemberActor:
    """Wishes that his images are left alone."""
    member = world.guild.add_member(world.env.create_user("bob"))
    await wish(world, member, leave_alone=True)
    return member


# "Leave my pictures alone".


@pytest.mark.parametrize("how", ["reply", "silent", "react", "direct"])
async def test_a_picture_left_alone_is_not_answered_unasked(world: World, bob: MemberActor, how: str) -> None:
    await server(world, how=how)
    source = await post(world, member=bob)
    assert (world.answers(), reactions(world, source)) == ([], [])
    assert world.fetcher.fetched == []


async def test_nor_when_somebody_mentions_the_bot_in_a_reply_to_it(world: World, bob: MemberActor) -> None:
    source = await post(world, member=bob)
    await world.alice.send(world.channel, world.me.mention, reply_to=source)
    assert world.only_answer().content == OTHER
    assert world.fetcher.fetched == []


async def test_nor_by_the_menu(world: World, bob: MemberActor) -> None:
    source = await post(world, member=bob)
    for who, line in ((world.alice, OTHER), (bob, YOURSELF)):
        result = await who.context_menu(world.channel, MENU, source)
        assert result.response is not None
        assert result.ephemeral
        assert result.response.content.startswith(line)
    assert world.fetcher.fetched == []


async def test_nor_by_a_click_on_an_offer_made_before(world: World, bob: MemberActor) -> None:
    await server(world, how="react")
    await wish(world, bob, leave_alone=False)
    source = await post(world, member=bob)
    await wish(world, bob, leave_alone=True)
    await world.alice.react(source, OFFER)
    assert world.answers() == []
    assert world.fetcher.fetched == []
    stored = world.env.backend.get_message(world.channel.id, source.id)
    assert [reaction.user_ids for reaction in stored.reactions] == [[world.alice.id]]  # the offer is gone


async def test_nor_when_they_mention_the_bot_themselves_but_then_they_are_told(
    world: World, bob: MemberActor
) -> None:
    await post(world, member=bob, content=world.me.mention)
    assert world.only_answer().content.startswith(YOURSELF)
    assert world.fetcher.fetched == []


async def test_nor_in_a_direct_message(world: World, bob: MemberActor) -> None:
    dm = bob.user.dm_channel
    await bob.send_dm(attachments=world.stored(picture(), channel=dm))
    assert world.only_answer(dm).content.startswith(YOURSELF)
    assert world.fetcher.fetched == []


async def test_nor_when_an_edit_brings_a_picture(world: World, bob: MemberActor) -> None:
    source = await bob.send(world.channel, "wait")
    stored = world.stored(picture())
    world.env.backend.edit_message(world.channel.id, source.id, {"attachments": stored})
    await world.env.settle()
    assert world.fetcher.fetched == []


async def test_who_is_left_alone_may_still_show_a_picture_with_the_command(
    world: World, bob: MemberActor
) -> None:
    """The command is their consent, and what it is given is no message of theirs."""
    await bob.slash(world.channel, "classify", picture=picture())
    assert "Egyptian cat" in str(world.only_answer().embeds[0].description)


async def test_and_may_ask_about_the_pictures_of_others(world: World, bob: MemberActor) -> None:
    source = await post(world)
    result = await bob.context_menu(world.channel, MENU, source)
    assert result.response is not None
    assert "Egyptian cat" in str(result.response.message.embeds[0].description)


@pytest.mark.parametrize("asked", [False, True])
async def test_while_nobody_knows_who_wishes_what_nothing_is_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, asked: bool
) -> None:
    async def broken(*_: object) -> None:
        raise StoreUnavailable("the disk is gone")

    monkeypatch.setattr(world.bot.store.members, "get", broken)
    await post(world, content=world.me.mention if asked else "")
    assert world.fetcher.fetched == []
    assert len(world.answers()) == asked
    assert "the disk is gone" in caplog.text
    result = await world.alice.context_menu(world.channel, MENU, world.channel.history()[0])
    assert result.response is not None
    assert result.response.content.startswith("Something went wrong")


# Privately, and by direct message.


async def test_privately_nothing_they_post_is_answered_in_public_and_a_mention_by_direct_message(
    world: World,
) -> None:
    await wish(world, world.alice, delivery="private")
    await post(world)
    assert world.classifier.asked == []
    source = await post(world, content=world.me.mention)
    assert world.answers() == []
    answer = world.only_answer(world.alice.user.dm_channel)
    assert answer.content == f"[Go to the picture]({source.jump_url})"


async def test_privately_a_command_is_answered_to_them_alone(world: World) -> None:
    await wish(world, world.alice, delivery="private")
    assert (await world.alice.slash(world.channel, "classify", picture=picture())).ephemeral
    loud = await world.alice.slash(world.channel, "classify", picture=picture(), private=False)
    assert not loud.ephemeral  # what is said with the command goes before


async def test_by_direct_message_commands_menus_and_what_they_post(world: World) -> None:
    await wish(world, world.alice, delivery="direct")
    dm = world.alice.user.dm_channel
    source = await post(world)
    await world.alice.slash(world.channel, "classify", picture=picture())
    await world.alice.context_menu(world.channel, MENU, source)
    assert len(world.answers(dm)) == 3
    assert all(answer.content.startswith("Sent to your DMs") for answer in world.answers())
    await world.alice.slash(world.channel, "classify", picture=picture(), dm=False)
    await world.alice.slash(world.channel, "classify", picture=picture(), private=True)
    assert len(world.answers(dm)) == 3


# Language.

GERMAN = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\nLanguage: de\\n"

msgid "This picture is damaged or incomplete. Save it again and send it once more."
msgstr "Kaputt."
"""


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "de.po").write_text(GERMAN, "utf-8")
    languages = i18n.Languages(tmp_path)
    for module in ("bot.i18n", "bot.policy.effective_settings"):
        monkeypatch.setattr(f"{module}.languages", languages)


async def test_a_members_choice_is_obeyed_everywhere_and_a_servers_where_everybody_reads(
    german: None, world: World
) -> None:
    world.classifier.otherwise = CorruptImage("cut")
    ask: list[Callable[[], Awaitable[object]]] = [
        lambda: post(world, content=world.me.mention),
        lambda: world.alice.slash(world.channel, "classify", picture=picture()),
        lambda: world.alice.slash(world.channel, "classify", picture=picture(), private=True),
        lambda: world.alice.slash(world.channel, "classify", picture=picture(), dm=True),
    ]

    async def said() -> list[bool]:
        found = []
        for step in ask:
            result = await step()
            embeds = getattr(result, "response", None) and result.response.message.embeds  # type: ignore[attr-defined]
            if not embeds:
                place = world.alice.user.dm_channel if step is ask[3] else world.channel
                embeds = world.answers(place)[-1].embeds
            found.append(embeds[0].description == "Kaputt.")
        return found

    await wish(world, world.alice, language="de")
    assert await said() == [True, True, True, True]
    await wish(world, world.alice, language=None)
    await server(world, language="de")  # while Alice's Discord is English
    assert await said() == [True, True, False, False]


async def test_preferences_hold_in_every_server_and_after_a_restart(world: World, bob: MemberActor) -> None:
    elsewhere = world.env.create_guild("Dog lovers")
    channel = elsewhere.create_text_channel("dogs")
    there = elsewhere.add_member(bob.user)
    await world.bot.store.notes.take_greeting(elsewhere.id)
    await world.restart()
    await post(world, channel, member=there)
    assert world.answers(channel) == []
