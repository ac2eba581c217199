"""What `whatsit doctor` says of Discord, asked over real sockets of a server that answers as Discord does."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import AsyncIterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord.utils import utcnow

from bot.cli.check_results import CheckResult, Level
from bot.cli.doctor import allowed_models
from bot.cli.doctor_discord import check_discord
from bot.cli.doctor_store import check_store
from bot.cli.invite import PERMISSIONS
from bot.connection import server as place
from config.settings import Data, Discord, Model, Settings, Watch
from tests.stores import opened_store
from tests.wire.world import json_response

MESSAGE_CONTENT = 1 << 19
APPLICATION = "123456789012345678"
TOKEN = f"{base64.b64encode(APPLICATION.encode()).decode()}.token.here"
ROLE = "77"
USER = {"id": APPLICATION, "username": "Whatsit", "discriminator": "0", "avatar": None, "bot": True}


class Answers:
    """What the server says; a test changes it before it asks."""

    def __init__(self) -> None:
        self.status = 200
        self.flags = MESSAGE_CONTENT
        self.guilds: list[dict[str, Any]] = [guild("Cats", PERMISSIONS.value)]
        self.commands: list[dict[str, Any]] = [{"name": "classify"}]
        self.channels: list[dict[str, Any]] = [{"type": 0, "permission_overwrites": []}]
        self.url = ""
        self.date: str | None = None
        """In place of the present one."""

    async def dated(self, _request: web.Request, response: web.StreamResponse) -> None:
        if self.date is not None:
            response.headers["Date"] = self.date

    async def user(self, _request: web.Request) -> web.Response:
        return json_response(USER, status=self.status)

    async def application(self, _request: web.Request) -> web.Response:
        about: dict[str, Any] = {
            "id": APPLICATION,
            "name": "Whatsit",
            "icon": None,
            "description": "",
            "summary": "",
        }
        about |= {"bot_public": True, "bot_require_code_grant": False, "verify_key": "0", "team": None}
        return json_response(about | {"owner": USER, "flags": self.flags})

    async def servers(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", 0))
        later = [guild for guild in self.guilds if int(guild["id"]) > after]
        return json_response(later[: int(request.query["limit"])])

    async def member(self, _request: web.Request) -> web.Response:
        return json_response({"user": USER, "roles": [ROLE]})

    async def places(self, _request: web.Request) -> web.Response:
        return json_response(self.channels)

    async def registered(self, _request: web.Request) -> web.Response:
        return json_response(self.commands)


def guild(name: str, permissions: int, number: int = 1) -> dict[str, Any]:
    return {"id": str(number), "name": name, "permissions": str(permissions)}


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Answers]:
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    answers = Answers()
    app = web.Application()
    app.on_response_prepare.append(answers.dated)
    app.router.add_get("/api/v10/users/@me", answers.user)
    app.router.add_get("/api/v10/oauth2/applications/@me", answers.application)
    app.router.add_get("/api/v10/users/@me/guilds", answers.servers)
    app.router.add_get(f"/api/v10/guilds/{{guild}}/members/{APPLICATION}", answers.member)
    app.router.add_get("/api/v10/guilds/{guild}/channels", answers.places)
    app.router.add_get(f"/api/v10/applications/{APPLICATION}/commands", answers.registered)
    async with TestServer(app) as server:
        answers.url = str(server.make_url("/api/v10"))
        discords_own = place.DISCORD
        monkeypatch.setattr(place, "DISCORD", (answers.url, *discords_own[1:]))
        yield answers
        monkeypatch.undo()
        place.use(None)


async def findings(url: str | None = None, **sections: Any) -> list[CheckResult]:
    """What is found on Discord, or on a server at `url`."""
    where = Discord(api_url=url, gateway_url="ws://127.0.0.1:1") if url else Discord()
    return [finding async for finding in check_discord(Settings(discord=where, **sections))]


def bad(found: list[CheckResult]) -> list[tuple[Level, str]]:
    return [(finding.level, finding.what) for finding in found if finding.level is not Level.OK]


async def test_all_is_well(discord: Answers) -> None:
    found = await findings()
    assert bad(found) == []
    assert any("this is Whatsit" in finding.what for finding in found)
    assert any("classify" in finding.what for finding in found)
    assert any("clock agrees" in finding.what for finding in found)


async def test_a_refused_token_fails_and_says_where_to_get_another(discord: Answers) -> None:
    discord.status = 401
    *_, last = await findings()
    assert last.level is Level.FAIL
    assert "Reset Token" in last.remedy


async def test_no_token_fails(discord: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISCORD_TOKEN")
    monkeypatch.delenv("DISCORD_TOKEN_FILE", raising=False)
    (only,) = await findings()
    assert only.level is Level.FAIL
    assert "DISCORD_TOKEN" in only.remedy


@pytest.mark.parametrize(("seconds", "where"), [(600, "behind"), (-600, "ahead of"), (7, "behind")])
async def test_a_clock_that_is_wrong_is_a_note_with_what_depends_on_it(
    discord: Answers, seconds: float, where: str
) -> None:
    discord.date = formatdate(time.time() + seconds, usegmt=True)
    (note,) = [finding for finding in await findings() if finding.level is not Level.OK]
    found = re.fullmatch(rf"This machine's clock is (\d+) s {where} Discord's\.", note.what)
    assert found
    assert abs(int(found[1]) - abs(seconds)) <= 2
    assert "too late" in note.remedy


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 25:00:00 GMT"])
async def test_a_date_that_nobody_can_read_is_passed_over(discord: Answers, date: str) -> None:
    discord.date = date
    found = await findings()
    assert not any("clock" in finding.what for finding in found)
    assert bad(found) == []


def test_each_model_that_servers_may_choose_is_known() -> None:
    fine = Settings(model=Model(allowed=("mobilenet_v2", "efficientnet_lite0")))
    assert [(finding.level, finding.what) for finding in allowed_models(fine)] == [
        (Level.OK, "Servers may choose mobilenet_v2, efficientnet_lite0.")
    ]
    assert list(allowed_models(Settings())) == []


def test_a_model_that_is_not_known_is_named_with_those_that_may_be_meant() -> None:
    wrong = Settings(model=Model(allowed=("mobilnet_v2", "efficientnet_lite0", "resnet")))
    one, two = allowed_models(wrong)
    assert {one.level, two.level} == {Level.NOTE}
    assert one.what == "model.allowed names mobilnet_v2, which is no model of the catalogue."
    assert one.remedy.startswith("Did you mean mobilenet_v2")
    assert two.what == "model.allowed names resnet, which is no model of the catalogue."
    assert two.remedy.startswith("There are: mobilenet_v2, ")


def test_a_catalogue_that_cannot_be_read_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cli.doctor.catalogue", lambda _: [])
    (note,) = allowed_models(Settings(model=Model(allowed=("mobilenet_v2",))))
    assert note.level is Level.NOTE
    assert note.what == "The catalogue of models cannot be read, so model.allowed was not checked."


async def test_message_content_switched_off_is_a_note_with_the_way_to_switch_it_on(discord: Answers) -> None:
    discord.flags = 0
    (note,) = [finding for finding in await findings() if finding.level is not Level.OK]
    assert note.level is Level.NOTE
    assert "Message Content Intent" in note.remedy


async def test_message_content_is_not_missed_where_no_channel_is_watched(discord: Answers) -> None:
    discord.flags = 0
    assert bad(await findings(watch=Watch(channels=()))) == []


async def test_servers_that_keep_permissions_back_are_named_with_them(discord: Answers) -> None:
    lacking = PERMISSIONS.value & ~(1 << 14)  # Embed Links
    administrator = 1 << 3
    discord.guilds = [guild(f"Fine {n}", administrator, n) for n in range(1, 251)] + [
        guild("Dogs", lacking, 900)
    ]
    assert bad(await findings()) == [(Level.NOTE, "On Dogs the bot may not: embed links.")]


def overwrite(whom: str, *, allow: int = 0, deny: int = 0) -> dict[str, str]:
    return {"id": whom, "allow": str(allow), "deny": str(deny)}


@pytest.mark.parametrize("whose", ["1", ROLE, APPLICATION])
async def test_a_server_where_the_bot_may_write_in_no_channel_is_named(discord: Answers, whose: str) -> None:
    voice = {"type": 2, "permission_overwrites": []}
    closed = {"type": 0, "permission_overwrites": [overwrite(whose, deny=1 << 11)]}  # Send Messages
    discord.channels = [voice, closed]
    assert bad(await findings()) == [(Level.NOTE, "On Cats the bot may write in no channel.")]


async def test_a_channel_that_lets_the_bots_role_write_is_enough(discord: Answers) -> None:
    overwrites = [overwrite("1", deny=1 << 11), overwrite(ROLE, allow=1 << 11)]
    discord.channels.append({"type": 0, "permission_overwrites": overwrites})
    del discord.channels[0]
    assert bad(await findings()) == []


async def test_no_server_and_no_commands_say_what_comes_next(discord: Answers) -> None:
    discord.guilds, discord.commands = [], []
    remedies = [finding.remedy for finding in await findings() if finding.level is Level.NOTE]
    assert "whatsit invite" in remedies[0]
    assert "whatsit run" in remedies[1]


async def test_a_server_that_is_not_discord_need_not_tell_what_discord_does(discord: Answers) -> None:
    discord.flags, discord.commands = 0, []
    del discord.guilds[0]["permissions"]
    (note,) = [finding for finding in await findings(discord.url) if finding.level is not Level.OK]
    assert "permissions were not checked" in note.what


async def test_such_a_server_refuses_a_token_as_a_bad_request(discord: Answers) -> None:
    discord.status = 400
    *_, last = await findings(discord.url)
    assert last.level is Level.FAIL
    assert last.what == "127.0.0.1 refuses the token."
    assert "discord.com" not in last.remedy


async def test_without_a_network_it_is_a_note_not_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a.token.here")
    *_, last = await findings("http://127.0.0.1:1/api/v10")
    assert last.level is Level.NOTE
    assert "did not answer" in last.what


@pytest.mark.parametrize("status", [400, 403])
async def test_a_server_in_trouble_is_a_note(discord: Answers, status: int) -> None:
    discord.status = status
    *_, last = await findings()
    assert last.level is Level.NOTE


@pytest.mark.parametrize(("times", "level"), [(12, Level.OK), (1_234, Level.NOTE)])
async def test_it_says_what_discord_refused_of_late(tmp_path: Path, times: int, level: Level) -> None:
    settings = Settings(data=Data(dir=tmp_path))
    assert await _found(settings) == []
    async with opened_store(settings, tmp_path) as store:
        await store.notes.set_refusals({"403": times}, utcnow())
    usable, refused = await _found(settings)
    assert (usable.level, refused.level) == (Level.OK, level)
    assert f"Discord refused {times:,} of the bot's requests ({times} times 403)" in refused.what


async def test_a_store_that_cannot_be_used_is_said_with_its_way_out(tmp_path: Path) -> None:
    (tmp_path / "whatsit.sqlite3").write_bytes(b"no database at all, whatever its name says" * 100)
    (found,) = await _found(Settings(data=Data(dir=tmp_path)))
    assert found.level is Level.FAIL
    assert "put a backup in its place" in str(found.remedy)


async def _found(settings: Settings) -> list[CheckResult]:
    return [finding async for finding in check_store(settings)]
