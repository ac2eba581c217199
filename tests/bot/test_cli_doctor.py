"""What `whatsit doctor` says of Discord, asked over real sockets of a server that answers as Discord does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.cli.doctor_discord import check_discord
from bot.cli.findings import Finding, Level
from bot.cli.invite import PERMISSIONS
from config.settings import Discord, Settings, Watch

MESSAGE_CONTENT = 1 << 19
APPLICATION = "123456789012345678"
USER = {"id": APPLICATION, "username": "Whatsit", "discriminator": "0", "avatar": None, "bot": True}


class Answers:
    """What the server says; a test changes it before it asks."""

    def __init__(self) -> None:
        self.status = 200
        self.flags = MESSAGE_CONTENT
        self.guilds: list[dict[str, Any]] = [guild("Cats", PERMISSIONS.value)]
        self.commands: list[dict[str, Any]] = [{"name": "classify"}]
        self.url = ""

    async def user(self, _request: web.Request) -> web.Response:
        return web.json_response(USER, status=self.status)

    async def application(self, _request: web.Request) -> web.Response:
        about: dict[str, Any] = {
            "id": APPLICATION,
            "name": "Whatsit",
            "icon": None,
            "description": "",
            "summary": "",
        }
        about |= {"bot_public": True, "bot_require_code_grant": False, "verify_key": "0", "team": None}
        return web.json_response(about | {"owner": USER, "flags": self.flags})

    async def servers(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", 0))
        later = [guild for guild in self.guilds if int(guild["id"]) > after]
        return web.json_response(later[: int(request.query["limit"])])

    async def registered(self, _request: web.Request) -> web.Response:
        return web.json_response(self.commands)


def guild(name: str, permissions: int, number: int = 1) -> dict[str, Any]:
    return {"id": str(number), "name": name, "permissions": str(permissions)}


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Answers]:
    monkeypatch.setenv("DISCORD_TOKEN", "a.token.here")
    answers = Answers()
    app = web.Application()
    app.router.add_get("/api/v10/users/@me", answers.user)
    app.router.add_get("/api/v10/oauth2/applications/@me", answers.application)
    app.router.add_get("/api/v10/users/@me/guilds", answers.servers)
    app.router.add_get(f"/api/v10/applications/{APPLICATION}/commands", answers.registered)
    async with TestServer(app) as server:
        answers.url = str(server.make_url("/api/v10"))
        yield answers


async def findings(url: str, **sections: Any) -> list[Finding]:
    settings = Settings(discord=Discord(api_url=url, gateway_url="ws://127.0.0.1:1"), **sections)
    return [finding async for finding in check_discord(settings)]


def bad(found: list[Finding]) -> list[tuple[Level, str]]:
    return [(finding.level, finding.what) for finding in found if finding.level is not Level.OK]


async def test_all_is_well(discord: Answers) -> None:
    found = await findings(discord.url)
    assert bad(found) == []
    assert any("this is Whatsit" in finding.what for finding in found)
    assert any("classify" in finding.what for finding in found)


async def test_a_refused_token_fails_and_says_where_to_get_another(discord: Answers) -> None:
    discord.status = 401
    *_, last = await findings(discord.url)
    assert last.level is Level.FAIL
    assert "Reset Token" in last.remedy


async def test_no_token_fails(discord: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISCORD_TOKEN")
    monkeypatch.delenv("DISCORD_TOKEN_FILE", raising=False)
    (only,) = await findings(discord.url)
    assert only.level is Level.FAIL
    assert "DISCORD_TOKEN" in only.remedy


async def test_message_content_switched_off_is_a_note_with_the_way_to_switch_it_on(discord: Answers) -> None:
    discord.flags = 0
    (note,) = [finding for finding in await findings(discord.url) if finding.level is not Level.OK]
    assert note.level is Level.NOTE
    assert "Message Content Intent" in note.remedy


async def test_message_content_is_not_missed_where_no_channel_is_watched(discord: Answers) -> None:
    discord.flags = 0
    assert bad(await findings(discord.url, watch=Watch(channels=()))) == []


async def test_servers_that_keep_permissions_back_are_named_with_them(discord: Answers) -> None:
    lacking = PERMISSIONS.value & ~(1 << 14)  # Embed Links
    administrator = 1 << 3
    discord.guilds = [guild(f"Fine {n}", administrator, n) for n in range(1, 251)] + [
        guild("Dogs", lacking, 900)
    ]
    assert bad(await findings(discord.url)) == [(Level.NOTE, "On Dogs the bot may not: embed links.")]


async def test_no_server_and_no_commands_say_what_comes_next(discord: Answers) -> None:
    discord.guilds, discord.commands = [], []
    remedies = [finding.remedy for finding in await findings(discord.url) if finding.level is Level.NOTE]
    assert "whatsit invite" in remedies[0]
    assert "whatsit run" in remedies[1]


async def test_without_a_network_it_is_a_note_not_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a.token.here")
    *_, last = await findings("http://127.0.0.1:1/api/v10")
    assert last.level is Level.NOTE
    assert "did not answer" in last.what


async def test_a_server_in_trouble_is_a_note(discord: Answers) -> None:
    discord.status = 403
    *_, last = await findings(discord.url)
    assert last.level is Level.NOTE
