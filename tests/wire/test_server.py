"""A self-hosted server in Discord's place: everything goes there, and nothing anywhere else."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from bot.connection.server import Server
from tests.wire.bots import LABEL, online, settings_for
from tests.wire.modes import compatible_server
from tests.wire.wire import Wire

pytestmark = compatible_server

PICTURE = ("cat.png", b"\x89PNG and so on")


@pytest.fixture
def connected_to(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, int]]:
    """Every (host, port) that this process connects to or asks the address of."""
    places: set[tuple[str, int]] = set()
    connect, getaddrinfo = socket.socket.connect, socket.getaddrinfo

    def watched_connect(this: socket.socket, address: Any) -> None:
        places.add(address[:2])
        connect(this, address)

    def watched_getaddrinfo(host: str, port: int, *args: Any, **options: Any) -> Any:
        places.add((host, port))
        return getaddrinfo(host, port, *args, **options)

    monkeypatch.setattr(socket.socket, "connect", watched_connect)
    monkeypatch.setattr(socket, "getaddrinfo", watched_getaddrinfo)
    return places


async def test_everything_goes_to_the_server_and_its_file_host(
    wire: Wire, connected_to: set[tuple[str, int]]
) -> None:
    async with online(wire):
        await wire.post(PICTURE)
        direct = await wire.post_dm(PICTURE)
        await wire.world.until(lambda: LABEL in str(wire.world.answers()))
        await wire.world.until(lambda: wire.world.answers(direct["channel_id"]))
        await wire.gateway.drop()
        await wire.world.until(lambda: wire.gateway.sessions[0].resumes)
    api, files = URL(wire.api_url), URL(wire.cdn.origin)
    assert connected_to == {(api.host, api.port), (files.host, files.port)}


async def test_the_file_host_is_told_no_token(wire: Wire) -> None:
    async with online(wire):
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
    assert all("Authorization" not in asked.headers for asked in wire.cdn.asked)
    (domains,) = wire.world.sent("GET", "/policies/instance/domains")
    assert domains.authorization is None


async def test_resume_goes_to_the_configured_gateway_whatever_ready_says(wire: Wire) -> None:
    wire.gateway.resume_url = str(wire.trap_url.with_scheme("ws"))
    async with online(wire):
        await wire.gateway.drop()
        await wire.world.until(lambda: wire.gateway.sessions[0].resumes)
    assert wire.trap.hits == []


async def test_a_new_session_goes_there_too(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(shard_id: int | None, *, initial: bool = False) -> None:
        pass

    wire.gateway.resume_url = str(wire.trap_url.with_scheme("ws"))
    async with online(wire) as bot:
        monkeypatch.setattr(bot, "before_identify_hook", at_once)
        await wire.gateway.invalidate()
        await wire.world.until(lambda: wire.gateway.ready)


async def test_a_redirect_of_the_api_is_not_followed_elsewhere(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    away = {"Location": str(wire.trap_url / "api")}
    wire.world.fail("POST", r"/channels/\d+/messages", 307, headers=away)
    async with online(wire):
        await wire.post(PICTURE)
        await wire.world.until(lambda: "could not be sent" in caplog.text)
    assert wire.trap.hits == []


async def test_discords_hosts_are_not_asked_for_files(wire: Wire) -> None:
    async with online(wire):
        url = "https://cdn.discordapp.com/attachments/1/2/cat.png"
        attachment = wire.attachment(wire.world.general, *PICTURE) | {"url": url, "proxy_url": url}
        message = wire.world.add_message(wire.world.general, wire.world.person, attachments=[attachment])
        asked = {"content": f"<@{wire.world.bot['id']}>", "mentions": [wire.world.bot]}
        await wire.gateway.emit("MESSAGE_CREATE", message | asked | {"guild_id": wire.world.guild_id})
        await wire.world.until(wire.world.answers)
    assert "I only fetch pictures from Discord itself" in str(wire.world.answers())


async def test_without_a_word_of_its_file_host_it_is_the_apis_own(wire: Wire) -> None:
    wire.rest.files_url = None
    known = Server.of(settings_for(wire).discord)
    assert known is not None
    assert (await known.with_files()).files == URL(wire.api_url).origin()
    wire.world.unknown.clear()


async def test_a_nonsensical_word_of_it_is_not_taken(wire: Wire) -> None:
    wire.rest.files_url = "no address"
    known = Server.of(settings_for(wire).discord)
    assert known is not None
    assert (await known.with_files()).files == URL(wire.api_url).origin()


async def test_message_content_is_asked_for_whatever_the_flags_say(wire: Wire) -> None:
    wire.world.flags = 0
    wire.gateway.enforce_intents = False
    async with online(wire) as bot:
        assert bot.intents.message_content
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)


async def test_there_are_no_commands_and_no_buttons_and_one_line_says_so(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot.client")
    async with online(wire):
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
    assert wire.world.sent("PUT", r"/applications/.*") == []
    assert wire.world.answers()[0]["components"] == []
    assert [r.getMessage() for r in caplog.records if "buttons" in r.getMessage()] == [
        "This server is not Discord: there are no commands on it, and no buttons under answers."
    ]


async def test_nobody_is_sent_to_a_command_there(wire: Wire) -> None:
    async with online(wire):
        await wire.post(content=f"<@{wire.world.bot['id']}> hello?", mentions=[wire.world.bot])
        await wire.world.until(wire.world.answers)
    assert "post it and mention me." in str(wire.world.answers()[0])


async def test_a_channel_is_known_from_the_moment_it_is_made(wire: Wire) -> None:
    async with online(wire) as bot:
        channel = wire.world.add_channel("new")
        await wire.gateway.emit("CHANNEL_CREATE", wire.world.channels[channel])
        message = await wire.post(PICTURE, channel=channel)
        await wire.world.until(lambda: wire.world.answered(channel)[message["id"]])
        assert bot.get_channel(int(channel)) is not None


async def test_a_history_with_reactions_can_be_read(wire: Wire, tmp_path: Path) -> None:
    async with online(wire, data=tmp_path) as bot:
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
        await bot.wait_until_ready()  # closed before, it would say so later, to nobody
    wire.gateway.sessions.clear()
    thumbs_up = {"emoji": {"id": None, "name": "x"}, "count": 1, "me": False}
    message = await wire.post(PICTURE, reactions=[thumbs_up])
    async with online(wire, data=tmp_path):
        await wire.world.until(lambda: wire.world.answered()[message["id"]])
