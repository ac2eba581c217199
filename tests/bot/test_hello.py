"""Hello on a server that the bot joins, and `/help`."""

from __future__ import annotations

import logging

import discord
import pytest
from simcord.actors import MemberActor
from simcord.backend import serializers
from simcord.builders import GuildHandle

from bot.settings_ui.hello import CHOICES
from tests.bot.moderation import moderator, settings
from tests.bot.pressing import pressable, private
from tests.world import World, picture


async def invited(world: World, guild: GuildHandle | None = None) -> None:
    """Somebody removes the bot from the server, which has its channels by now, and invites it again."""
    backend, guild_id = world.env.backend, (guild or world.guild).id
    backend.emit("GUILD_DELETE", {"id": str(guild_id)})
    await world.env.settle()
    payload = serializers.guild_create_payload(backend, backend.get_guild(guild_id))
    del payload["unavailable"]  # which simcord says of every server, and Discord only after an outage
    backend.emit("GUILD_CREATE", payload)
    await world.env.settle()


async def greeted(world: World) -> discord.Message:
    await invited(world)
    return world.only_answer()


async def test_it_says_hello_once_where_it_may_write(world: World) -> None:
    answer = await greeted(world)
    assert answer.content.startswith("Hello! When someone posts a picture here, I'll say what's in it.")
    assert pressable(answer) == list(CHOICES.values())
    await world.restart()
    assert len(world.answers()) == 1


async def test_a_server_that_was_joined_while_it_was_away_is_greeted_too(world: World) -> None:
    await world.bot.store.notes.forget_guild(world.guild.id)
    await world.restart()
    assert world.only_answer().content.startswith("Hello!")


async def test_pictures_are_answered_from_the_first_minute(world: World) -> None:
    await greeted(world)
    await world.alice.send(world.channel, attachments=[picture()])
    _, answer = world.answers()
    assert "Egyptian cat" in str(answer.embeds[0].description)


async def test_a_server_that_invites_it_again_is_greeted_again(world: World) -> None:
    await greeted(world)
    await invited(world)
    assert len(world.answers()) == 2


@pytest.mark.whatsit(watch={"channels": []})
async def test_where_the_owner_has_it_answer_nowhere_by_itself_the_hello_says_how_to_ask(
    world: World,
) -> None:
    assert "Mention me with a picture" in (await greeted(world)).content


async def test_the_hello_is_in_the_servers_language(world: World) -> None:
    guild = world.env.create_guild("Katzenfreunde", preferred_locale="de")
    channel = guild.create_text_channel("bilder")
    await invited(world, guild)
    assert world.only_answer(channel).content.startswith("Hallo!")


async def test_where_it_may_write_nowhere_the_log_says_so(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.env.backend.delete_channel(world.channel.id)
    closed = world.closed_to(send_messages=False)
    await invited(world)
    assert world.answers(closed) == []
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert any(
        line.startswith(f"I may write in no channel of the server {world.guild.id}.") for line in warnings
    )


@pytest.mark.parametrize(
    ("label", "changed"),
    [
        ("Everywhere", {"where": "all", "how": "reply"}),
        ("Only here", {"where": "only", "how": "reply", "channels": "here"}),
        ("When clicked", {"how": "react"}),
    ],
)
async def test_a_moderator_chooses_where_it_replies(
    world: World, label: str, changed: dict[str, object]
) -> None:
    answer = await greeted(world)
    mod = moderator(world)
    before = await settings(world)
    shown = private(await mod.click(answer, label=label))
    assert "**When someone posts a picture**" in shown.content
    expected = {name: (world.channel.id,) if value == "here" else value for name, value in changed.items()}
    assert await settings(world) == before.model_copy(update=expected)


async def test_settings_opens_the_panel(world: World) -> None:
    answer = await greeted(world)
    assert "Overview" in pressable(private(await moderator(world).click(answer, label="Settings")))


async def test_others_may_not_choose(world: World) -> None:
    shown = private(await world.alice.click(await greeted(world), label="Everywhere"))
    assert shown.content == "You need Manage Server to see or change these."


@pytest.mark.parametrize("manages", [False, True])
async def test_help_tells_the_ways_to_ask_and_moderators_of_the_settings(world: World, manages: bool) -> None:
    asker: MemberActor = moderator(world) if manages else world.alice
    shown = private(await asker.slash(world.channel, "help"))
    for way in ("Mention me", "`/classify`", "**What's in this picture?**", "`/preferences`", "`/privacy`"):
        assert way in shown.content
    assert ("`/settings panel`" in shown.content) == manages


async def test_thanks_in_a_direct_message_gets_no_help_each_time(world: World) -> None:
    dm = world.alice.user.dm_channel
    await world.alice.send_dm("hi")
    assert [answer.content for answer in world.answers(dm)] == [
        "Send me a picture, and I'll say what's in it."
    ]
    await world.alice.send_dm(attachments=world.stored(picture(), channel=dm))
    await world.alice.send_dm("thanks!")
    await world.alice.send_dm("bye")
    assert len(world.answers(dm)) == 2
