"""Commands: `/classify`, the message menu, and the button that sends an answer on."""

from __future__ import annotations

import logging
import re
from typing import Any

import discord
import pytest
from simcord.results import InteractionResult, ResponseMessage

from bot.presentation.errors import UNEXPECTED
from inference.results import CorruptImage, NotAnImage, UnsupportedFormat
from tests.bot.pressing import pressable
from tests.world import World, classified, picture

MENU = "What's in this picture?"
BUTTON = "whatsit:pic:dm:"
CLOSED, NO_SHARED_SERVER = 50007, 50278
DEFERRED = discord.InteractionResponseType.deferred_channel_message.value


def response(result: InteractionResult) -> ResponseMessage:
    assert result.response is not None
    return result.response


def buttons(message: ResponseMessage | discord.Message) -> list[str]:
    rows: list[Any] = message.components
    return [
        item["custom_id"] if isinstance(item, dict) else item.custom_id
        for row in rows
        for item in (row["components"] if isinstance(row, dict) else row.children)
    ]


def close_dms(world: World, code: int = CLOSED) -> None:
    world.env.inject_error(
        "POST",
        f"/channels/{world.alice.user.dm_channel.id}/messages",
        status=403,
        code=code,
        message="Cannot send messages to this user",
        times=None,
    )


async def test_classify_is_deferred_at_once_and_everyone_sees_the_answer(world: World) -> None:
    before_any_work: list[object] = []

    async def meanwhile(_: bytes) -> None:
        before_any_work.extend(world.requests("POST", "/callback"))

    world.classifier.meanwhile = meanwhile
    result = await world.alice.slash(world.channel, "classify", picture=picture())
    assert before_any_work == [{"type": DEFERRED}]
    assert not result.ephemeral
    (embed,) = response(result).embeds
    assert embed.title == "cat.png"
    assert "Egyptian cat" in str(embed.description)
    assert BUTTON in buttons(response(result))
    assert result.followups == []


async def test_five_images_are_answered_in_their_order(world: World) -> None:
    files = {f"picture{n if n > 1 else ''}": picture(f"{n}.png", str(n).encode()) for n in range(1, 6)}
    world.classifier.says = {str(n).encode(): classified((f"thing {n}", 0.9)) for n in range(1, 6)}
    result = await world.alice.slash(world.channel, "classify", **files)
    descriptions = [str(embed.description) for embed in response(result).embeds]
    assert [f"thing {n}" in text for n, text in enumerate(descriptions, 1)] == [True] * 5


@pytest.mark.parametrize("top", [1, 6])
async def test_top_says_how_many_guesses_are_shown(world: World, top: int) -> None:
    result = await world.alice.slash(world.channel, "classify", picture=picture(), top=top)
    _sentence, *rows = str(response(result).embeds[0].description).splitlines()
    assert len(rows) == top


async def test_who_asks_for_the_ranks_gets_them_also_in_doubt(world: World) -> None:
    world.classifier.otherwise = classified(("missile", 0.12), ("projectile", 0.1))
    result = await world.alice.slash(world.channel, "classify", picture=picture(), top=2)
    assert str(response(result).embeds[0].description).splitlines() == [
        "I'm not sure. Maybe **a missile**?",
        "`█░░░░░░░░░  12%` missile",
        "`█░░░░░░░░░  10%` projectile",
    ]


@pytest.mark.parametrize("top", [0, 11])
async def test_discord_itself_refuses_any_other_top(world: World, top: int) -> None:
    with pytest.raises(Exception, match="top"):
        await world.alice.slash(world.channel, "classify", picture=picture(), top=top)


async def test_private_shows_the_answer_to_the_asker_only(world: World) -> None:
    result = await world.alice.slash(world.channel, "classify", picture=picture(), private=True)
    assert result.ephemeral
    assert "Egyptian cat" in str(response(result).embeds[0].description)
    assert pressable(response(result)) == ["More", "Send to my DMs", "Was this right?", "Alt text"]


async def test_dm_sends_the_answer_and_says_so_to_the_asker_only(world: World) -> None:
    result = await world.alice.slash(world.channel, "classify", picture=picture(), dm=True)
    sent = world.only_answer(world.alice.user.dm_channel)
    assert "Egyptian cat" in str(sent.embeds[0].description)
    assert pressable(sent) == ["More", "Was this right?", "Alt text", "Delete"]
    assert result.ephemeral
    assert response(result).content == f"Sent to your DMs: {sent.jump_url}"
    assert response(result).embeds == []


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (CLOSED, "You don't accept direct messages from me"),
        (NO_SHARED_SERVER, "We don't share a server"),
        (50013, "I couldn't send you a direct message"),
    ],
)
async def test_with_closed_dms_the_asker_gets_the_answer_here_and_the_reason(
    world: World, code: int, why: str
) -> None:
    close_dms(world, code)
    result = await world.alice.slash(world.channel, "classify", picture=picture(), dm=True)
    assert result.ephemeral
    assert response(result).content.startswith(why)
    assert len(response(result).content.splitlines()) == 1
    assert "Egyptian cat" in str(response(result).embeds[0].description)
    assert len(world.requests("POST", f"/channels/{world.alice.user.dm_channel.id}/messages")) == 1


async def test_nothing_is_lost_because_discord_failed_at_a_dm(world: World) -> None:
    world.env.inject_error("POST", "/users/@me/channels", status=503, times=None)
    world.env.inject_error("POST", "/channels/*/messages", status=503, times=None)
    result = await world.alice.slash(world.channel, "classify", picture=picture(), dm=True)
    assert "Egyptian cat" in str(response(result).embeds[0].description)


async def test_in_the_bots_own_direct_message_the_answer_is_one_already(world: World) -> None:
    result = await world.alice.user.slash("classify", picture=picture(), dm=True)
    assert not result.ephemeral
    assert "Egyptian cat" in str(response(result).embeds[0].description)
    assert pressable(response(result)) == ["More", "Was this right?", "Alt text", "Delete"]
    assert world.classifier.admitted == [(3, world.alice.id)]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NotAnImage("text"), "This file isn't a picture."),
        (UnsupportedFormat("svg"), "I can't read this kind of picture."),
        (CorruptImage("cut"), "This picture is damaged"),
    ],
)
async def test_a_file_that_is_no_image_gets_its_sentence(world: World, error: Exception, says: str) -> None:
    world.classifier.otherwise = error
    result = await world.alice.slash(world.channel, "classify", picture=("notes.txt", b"words"))
    assert str(response(result).embeds[0].description).startswith(says)


async def test_a_spoiler_shows_neither_labels_nor_picture_nor_name(world: World) -> None:
    await world.restart(download={"hosts": ["cdn.simcord.invalid"]})
    result = await world.alice.slash(world.channel, "classify", picture=picture("SPOILER_cat.png"))
    (embed,) = response(result).embeds
    assert str(embed.description).startswith("||")
    assert (embed.title, embed.thumbnail.url) == ("spoiler", None)


async def test_the_picture_itself_is_shown_where_it_lies_on_a_host_of_discords(world: World) -> None:
    await world.restart(download={"hosts": ["cdn.simcord.invalid"]})
    result = await world.alice.slash(world.channel, "classify", picture=picture())
    assert str(response(result).embeds[0].thumbnail.url).endswith("/cat.png")


async def test_the_menu_answers_only_the_asker(world: World) -> None:
    source = await world.post(attachments=world.stored(picture(), picture("b.png")))
    result = await world.alice.context_menu(world.channel, MENU, source)
    assert result.ephemeral
    assert len(response(result).embeds) == 2


@pytest.mark.whatsit(message_content=False)
async def test_the_menu_needs_no_message_content(world: World) -> None:
    source = await world.alice.send(world.channel, attachments=[picture()])
    assert world.answers() == []
    result = await world.alice.context_menu(world.channel, MENU, source)
    assert "Egyptian cat" in str(response(result).embeds[0].description)


async def test_the_menu_on_a_message_without_images_says_so(world: World) -> None:
    source = await world.alice.send(world.channel, "only words")
    result = await world.alice.context_menu(world.channel, MENU, source)
    assert result.ephemeral
    assert response(result).content == "I don't see a picture in that message."


async def test_the_menu_works_on_forwarded_images_and_on_those_of_bots(world: World) -> None:
    robot = world.guild.add_member(world.env.create_user("robot", bot=True))
    posted = await robot.send(world.channel, attachments=[picture()])
    forwarded = await robot.forward(posted, world.channel)
    for source in (posted, forwarded):
        result = await world.alice.context_menu(world.channel, MENU, source)
        assert "Egyptian cat" in str(response(result).embeds[0].description)


async def test_the_button_sends_the_answer_to_whoever_presses_it(world: World) -> None:
    await world.alice.send(world.channel, attachments=[picture()])
    answer = world.only_answer()
    bob = world.guild.add_member(world.env.create_user("bob"))
    result = await bob.click(answer, custom_id=BUTTON)

    sent = world.only_answer(bob.user.dm_channel)
    assert "Egyptian cat" in str(sent.embeds[0].description)
    assert sent.content == f"[Go to the picture]({answer.jump_url})"
    assert str(sent.embeds[0].thumbnail.url).endswith("/cat.png")
    assert result.ephemeral
    assert response(result).content == f"Sent to your DMs: {sent.jump_url}"
    assert world.answers(world.alice.user.dm_channel) == []


async def test_the_button_outlives_a_restart(world: World) -> None:
    result = await world.alice.slash(world.channel, "classify", picture=picture())
    await world.restart()
    pressed = await world.alice.click(response(result), custom_id=BUTTON)
    assert "Egyptian cat" in str(world.only_answer(world.alice.user.dm_channel).embeds[0].description)
    assert pressed.ephemeral


async def test_the_button_under_a_plain_answer_sends_its_text(world: World) -> None:
    closed = world.closed_to(embed_links=False)
    await world.alice.send(closed, attachments=[picture()])
    await world.alice.click(world.only_answer(closed), custom_id=BUTTON)
    assert "Egyptian cat" in world.only_answer(world.alice.user.dm_channel).content


async def test_the_button_with_closed_dms_gives_the_answer_here(world: World) -> None:
    await world.alice.send(world.channel, attachments=[picture()])
    close_dms(world)
    result = await world.alice.click(world.only_answer(), custom_id=BUTTON)
    assert result.ephemeral
    assert response(result).content.startswith("You don't accept direct messages from me")
    assert "Egyptian cat" in str(response(result).embeds[0].description)


async def test_buttons_of_answers_are_not_kept_in_memory(world: World) -> None:
    for _ in range(3):
        await world.alice.send(world.channel, attachments=[picture()])
        await world.alice.slash(world.channel, "classify", picture=picture())
    assert world.bot.persistent_views == []
    assert list(world.bot._connection._view_store._views) == []


@pytest.mark.parametrize(("status", "code"), [(404, 10062), (400, 40060)])
async def test_an_interaction_that_discord_no_longer_waits_for_is_a_line_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture, status: int, code: int
) -> None:
    world.env.inject_error("POST", "/interactions/*/callback", status=status, code=code, message="Unknown")
    await world.alice.slash(world.channel, "classify", picture=picture())
    assert world.classifier.admitted == []
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert re.match(r"The interaction \d+ could not be acknowledged", line)


async def test_a_response_that_was_deleted_meanwhile_is_a_line_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.env.inject_error("PATCH", "/webhooks/*", status=404, code=10008, message="Unknown Message")
    await world.alice.slash(world.channel, "classify", picture=picture())
    (line,) = [record.getMessage() for record in caplog.records if "could not be sent" in record.getMessage()]
    assert "10008" in line
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.logs_errors
async def test_a_command_that_fails_for_no_known_reason_still_answers(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bot.presentation.answer.Writer.write", broken)
    result = await world.alice.slash(world.channel, "classify", picture=picture())
    assert response(result).content == UNEXPECTED
    assert len([record for record in caplog.records if record.exc_info]) == 1
    assert len(world.env.errors) == 1


@pytest.mark.logs_errors
async def test_a_button_that_fails_for_no_known_reason_still_answers(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    await world.alice.send(world.channel, attachments=[picture()])
    monkeypatch.setattr("bot.delivery.interaction_responses.send_directly", broken)
    result = await world.alice.click(world.only_answer(), custom_id=BUTTON)
    assert response(result).content.startswith("Something went wrong. Try again")
    assert result.ephemeral
    assert len([record for record in caplog.records if record.exc_info]) == 1


async def test_a_bot_that_is_leaving_says_so(world: World) -> None:
    await world.alice.send(world.channel, attachments=[picture()])
    world.bot.work_in_hand.stopping = True
    command = await world.alice.slash(world.channel, "classify", picture=picture())
    button = await world.alice.click(world.only_answer(), custom_id=BUTTON)
    for result in (command, button):
        assert result.ephemeral
        assert response(result).content == "I'm about to restart. Ask me again in a minute."
    assert len(world.classifier.admitted) == 1


def test_commands_can_be_installed_for_servers_and_people_and_work_everywhere(world: World) -> None:
    commands = {command.name: command for command in world.bot.tree.walk_commands()}
    menus = world.bot.tree.get_commands(type=discord.AppCommandType.message)
    for command in (commands["classify"], *(menu for menu in menus if menu.name == MENU)):
        assert isinstance(command, discord.app_commands.Command | discord.app_commands.ContextMenu)
        assert command.allowed_installs is not None
        assert command.allowed_installs.to_array() == [0, 1]
        assert command.allowed_contexts is not None
        assert command.allowed_contexts.to_array() == [0, 1, 2]
