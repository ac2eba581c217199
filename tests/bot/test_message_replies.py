"""An answer fits what its channel allows, goes when its picture goes, and is never sent late."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import discord
import pytest

from bot.delivery.reactions import LATE, MUTE
from tests.world import World, classified, picture


def reactions(world: World, message: discord.Message) -> list[str]:
    stored = world.env.backend.get_message(message.channel.id, message.id)
    return [reaction.emoji for reaction in stored.reactions]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_without_read_history_the_answer_has_no_reference(world: World) -> None:
    closed = world.closed_to(read_message_history=False)
    await world.alice.send(closed, attachments=[picture()])
    (body,) = world.requests("POST", f"/channels/{closed.id}/messages")
    assert "message_reference" not in body
    assert body["embeds"]


async def test_without_embed_links_the_answer_is_plain_text(world: World) -> None:
    world.classifier.says = {b"dog": classified(("beagle", 0.9), model="mobilenet_v1_025")}
    closed = world.closed_to(embed_links=False)
    await world.alice.send(closed, attachments=[picture(), picture("SPOILER_dog.png", b"dog")])
    answer = world.only_answer(closed)
    assert answer.embeds == []
    assert answer.content == (
        "**1.** \n"
        "Probably **an Egyptian cat**.\n"
        "`███████░░░  71%` Egyptian cat\n`██░░░░░░░░  16%` tabby\n`█░░░░░░░░░   8%` tiger cat\n"
        "**2.** ||`█████████░  90%` **beagle**||\n"
        "-# MobileNetV2, MobileNetV1 0.25"
    )


async def test_where_the_bot_may_not_write_it_reacts_and_does_no_work(world: World) -> None:
    closed = world.closed_to(send_messages=False)
    source = await world.alice.send(closed, attachments=[picture()])
    assert world.answers(closed) == []
    assert world.requests("POST", "/typing") == []
    assert world.classifier.admitted == []
    assert reactions(world, source) == [MUTE]


async def test_where_it_may_not_react_either_the_log_says_so_once_an_hour(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    closed = world.closed_to(send_messages=False, add_reactions=False)
    for _ in range(3):
        await world.alice.send(closed, attachments=[picture()])
    (line,) = warnings(caplog)
    assert line == f"Cannot answer in the channel {closed.id}: it allows me neither messages nor reactions"

    await world.env.advance_time(3601)
    await world.alice.send(closed, attachments=[picture()])
    assert len(warnings(caplog)) == 2
    assert [r.path for r in world.env.http_requests if str(closed.id) in r.path] == []


async def test_threads_have_a_permission_of_their_own(world: World) -> None:
    closed = world.closed_to(send_messages_in_threads=False)
    thread = world.thread(closed)
    source = await world.alice.send(thread, attachments=[picture()])
    assert world.answers(thread) == []
    assert reactions(world, source) == [MUTE]
    assert len(world.answers(closed)) == 0


async def test_a_channel_closed_to_messages_may_have_open_threads(world: World) -> None:
    thread = world.thread(world.closed_to(send_messages=False))
    await world.alice.send(thread, attachments=[picture()])
    assert len(world.answers(thread)) == 1


@pytest.mark.parametrize("state", ["archived", "locked"])
async def test_archived_and_locked_threads_get_a_reaction(world: World, state: str) -> None:
    thread = world.thread(world.closed_to(manage_threads=False))

    async def meanwhile(_: bytes) -> None:
        stored = world.env.backend.get_channel(thread.id)
        assert stored.thread_metadata is not None
        setattr(stored.thread_metadata, state, True)
        world.env.backend.announce_channel_update(thread.id)

    world.classifier.meanwhile = meanwhile
    source = await world.alice.send(thread, attachments=[picture()])
    assert world.answers(thread) == []
    assert reactions(world, source) == [MUTE]


async def test_a_refusal_that_permissions_did_not_foretell_is_never_retried(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, message="no", times=None)
    source = await world.alice.send(world.channel, attachments=[picture()])
    assert len(world.requests("POST", f"/channels/{world.channel.id}/messages")) == 1
    assert reactions(world, source) == [MUTE]
    assert warnings(caplog) == []


async def test_a_failure_of_discord_is_one_line_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.env.inject_error("POST", "/channels/*/messages", status=503, times=None)
    message = await world.alice.send(world.channel, attachments=[picture()])
    (line,) = warnings(caplog)
    assert line.startswith(f"The answer to the message {message.id} could not be sent: 503")


async def test_an_answer_pings_nobody(world: World) -> None:
    world.classifier.otherwise = classified(("@everyone <@1> <@&2>", 0.9))
    await world.alice.send(world.channel, attachments=[picture()])
    (body,) = world.requests("POST", f"/channels/{world.channel.id}/messages")
    assert body["allowed_mentions"] == {"parse": [], "replied_user": False}


async def test_an_answer_carries_a_nonce_made_from_its_sources_id(world: World) -> None:
    source = await world.alice.send(world.channel, attachments=[picture()])
    (body,) = world.requests("POST", f"/channels/{world.channel.id}/messages")
    assert (body["nonce"], body["enforce_nonce"]) == (str(source.id), True)


async def test_it_types_while_it_works(world: World) -> None:
    async def a_while(_: bytes) -> None:
        await asyncio.sleep(20)

    world.classifier.meanwhile = a_while
    await world.alice.send(world.channel, attachments=[picture()])
    await world.env.advance_time(30)
    assert len(world.requests("POST", "/typing")) == 3
    assert len(world.answers()) == 1


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_failing_typing_indicator_changes_nothing(
    world: World, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    world.env.inject_error("POST", "/channels/*/typing", status=status, times=None)
    await world.alice.send(world.channel, attachments=[picture()])
    assert len(world.answers()) == 1
    assert warnings(caplog) == []


async def test_a_picture_deleted_before_its_answer_gets_none_and_leaves_the_queue(world: World) -> None:
    finished: list[bytes] = []

    async def deleted_meanwhile(data: bytes) -> None:
        (source,) = world.env.backend.messages[world.channel.id].values()
        world.env.backend.delete_message(world.channel.id, source.id)
        await asyncio.sleep(5)
        finished.append(data)

    world.classifier.meanwhile = deleted_meanwhile
    await world.alice.send(world.channel, attachments=[picture()])
    assert world.answers() == []
    assert finished == []
    assert world.classifier.inside == 0


async def test_a_picture_deleted_later_takes_its_answer_with_it(world: World) -> None:
    source = await world.alice.send(world.channel, attachments=[picture()])
    other = await world.alice.send(world.channel, attachments=[picture()])
    await world.alice.delete(source)
    (left,) = world.answers()
    assert left.reference is not None
    assert left.reference.message_id == other.id


async def test_a_purge_takes_the_answers_with_it(world: World) -> None:
    sources = [await world.alice.send(world.channel, attachments=[picture()]) for _ in range(3)]
    world.env.backend.bulk_delete_messages(world.channel.id, [source.id for source in sources[:2]])
    await world.env.settle()
    (left,) = world.answers()
    assert left.reference is not None
    assert left.reference.message_id == sources[2].id


async def test_in_a_direct_message_too(world: World) -> None:
    dm = world.alice.user.dm_channel
    source = await world.alice.send_dm(attachments=world.stored(picture(), channel=dm))
    await world.alice.user.delete(source)
    assert world.answers(dm) == []


async def test_an_answer_that_is_gone_already_is_no_error(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    source = await world.alice.send(world.channel, attachments=[picture()])
    world.env.backend.delete_message(world.channel.id, world.only_answer().id)
    await world.alice.delete(source)
    assert warnings(caplog) == []


async def test_a_reply_refused_because_its_source_is_gone_is_no_error(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    # What discord.py makes of REPLIES_UNKNOWN_MESSAGE.
    gone = "Invalid Form Body\nIn message_reference: Unknown message"
    world.env.inject_error("POST", "/channels/*/messages", status=400, code=50035, message=gone)
    source = await world.alice.send(world.channel, attachments=[picture()])
    assert world.answers() == []
    assert warnings(caplog) == []
    assert reactions(world, source) == []


@pytest.mark.whatsit(watch={"late_after": 60})
async def test_an_answer_that_would_be_late_is_dropped_with_a_reaction(world: World) -> None:
    async def too_long(_: bytes) -> None:
        await asyncio.sleep(61)

    world.classifier.meanwhile = too_long
    source = await world.alice.send(world.channel, attachments=[picture()])
    await world.env.advance_time(62)
    assert world.answers() == []
    assert reactions(world, source) == [LATE]


@pytest.mark.whatsit(watch={"late_after": 60})
async def test_a_picture_that_arrives_too_late_costs_no_work(world: World) -> None:
    source = await world.post(world.closed_to(view_channel=False), attachments=world.stored(picture()))
    await world.env.advance_time(61)
    world.env.backend.emit("MESSAGE_CREATE", world.payload(source) | {"channel_id": str(world.channel.id)})
    await world.env.settle()
    assert world.classifier.admitted == []
    assert world.answers() == []


@pytest.mark.whatsit(watch={"late_after": 60})
async def test_an_answer_just_in_time_is_sent(world: World) -> None:
    async def long(_: bytes) -> None:
        await asyncio.sleep(58)

    world.classifier.meanwhile = long
    await world.alice.send(world.channel, attachments=[picture()])
    await world.env.advance_time(59)
    assert len(world.answers()) == 1


async def test_a_picture_deleted_while_its_answer_is_on_its_way_takes_it_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = world.bot.http.send_message

    async def deleted_before_discord_answers(*args: Any, **kwargs: Any) -> Any:
        sent = await send(*args, **kwargs)
        source = min(world.env.backend.messages[world.channel.id])
        world.env.backend.delete_message(world.channel.id, source)
        await asyncio.sleep(1)
        return sent

    monkeypatch.setattr(world.bot.http, "send_message", deleted_before_discord_answers)
    await world.alice.send(world.channel, attachments=[picture()])
    assert world.channel.history() == []
