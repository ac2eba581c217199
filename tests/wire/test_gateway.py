"""The gateway drops, restarts, forgets the session, or refuses it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import discord
import pytest

from bot.connection import intents
from tests.wire.bots import LABEL, SlowModel, online
from tests.wire.gateway import MESSAGE_CONTENT
from tests.wire.modes import each_server
from tests.wire.wire import Wire

PICTURE = ("cat.png", b"\x89PNG and so on")


@each_server
async def test_a_drop_in_the_middle_is_resumed_and_the_picture_answered_once(wire: Wire) -> None:
    model = SlowModel(gate=asyncio.Event())
    async with online(wire, model):
        await wire.post(PICTURE)
        await wire.cdn.until_asked()
        await wire.gateway.drop()
        await wire.post(PICTURE)  # while it is away: replayed by RESUME
        model.open()
        await wire.world.until(lambda: len(wire.world.answers()) == 2)
    (session,) = wire.gateway.sessions
    assert session.resumes == 1
    assert len({answer["message_reference"]["message_id"] for answer in wire.world.answers()}) == 2


@each_server
async def test_a_restart_of_the_gateway_is_resumed(wire: Wire) -> None:
    async with online(wire):
        await wire.gateway.ask_to_reconnect()
        await wire.world.until(lambda: wire.gateway.sessions[0].resumes)
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
    assert len(wire.gateway.sessions) == 1


@each_server
async def test_a_forgotten_session_is_begun_anew(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    async with online(wire) as bot:
        monkeypatch.setattr(bot, "before_identify_hook", _at_once)  # discord.py waits 5 s
        await wire.gateway.invalidate()
        await wire.world.until(lambda: wire.gateway.ready)
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
    assert LABEL in str(wire.world.answers())


async def test_the_flags_allow_message_content(wire: Wire) -> None:
    async with online(wire) as bot:
        assert bot.intents.message_content
    assert wire.gateway.sessions[0].intents == intents.wanted().value


async def test_without_the_flag_it_does_not_even_ask(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    wire.world.flags = 0
    async with online(wire) as bot:
        assert not bot.intents.message_content
    assert not wire.gateway.sessions[0].intents & MESSAGE_CONTENT
    assert caplog.text.count(intents.MESSAGE_CONTENT_OFF) == 1


async def test_without_the_flag_mentions_and_direct_messages_are_answered(wire: Wire) -> None:
    wire.world.flags = 0
    bot = wire.world.bot
    async with online(wire):
        await wire.post(PICTURE)
        asked = await wire.post(PICTURE, content=f"<@{bot['id']}>", mentions=[bot])
        direct = await wire.post_dm(PICTURE)
        await wire.world.until(lambda: wire.world.answers(direct["channel_id"]) and wire.world.answers())
    (answer,) = wire.world.answers()
    assert answer["message_reference"]["message_id"] == asked["id"]


async def test_refused_after_all_it_reconnects_without(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    asked_for = intents.wanted()
    wire.world.flags = 0  # intents that are given are not checked against the flags: 4014
    async with online(wire, intents=asked_for):
        direct = await wire.post_dm(PICTURE)
        await wire.world.until(lambda: wire.world.answers(direct["channel_id"]))
    assert [session.intents & MESSAGE_CONTENT for session in wire.gateway.sessions] == [0]
    assert intents.MESSAGE_CONTENT_OFF in caplog.text


async def test_a_close_that_cannot_be_mended_ends_it(wire: Wire) -> None:
    wire.gateway.refuse = 4013
    with pytest.raises(discord.ConnectionClosed):
        async with online(wire):
            pytest.fail("it must not come online")


async def test_commands_are_not_sent_a_second_time(
    wire: Wire, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot")
    commands = r"/applications/\d+/commands"
    for _ in range(2):
        async with online(wire, data=tmp_path):
            pass
    assert len(wire.world.sent("PUT", commands)) == 1
    named = {command["name"]: command for command in wire.world.commands}
    for name in ("classify", "What's in this picture?"):
        assert named[name]["contexts"] == [0, 1, 2]
        assert named[name]["integration_types"] == [0, 1]


async def test_commands_that_were_refused_are_sent_again(wire: Wire, tmp_path: Path) -> None:
    commands = r"/applications/\d+/commands"
    wire.world.fail("PUT", commands, 403, body={"code": 0, "message": "no"})
    for _ in range(2):
        async with online(wire, data=tmp_path):
            await wire.post(PICTURE)
            await wire.world.until(wire.world.answers)
    assert [request.status for request in wire.world.sent("PUT", commands)] == [403, 200]


async def _at_once(shard_id: int | None, *, initial: bool = False) -> None:
    pass
