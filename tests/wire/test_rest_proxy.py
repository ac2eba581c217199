"""A proxy for Discord's REST API: what goes through it, and what does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.connection import server
from config.settings import Discord, Settings
from tests.wire.bots import online
from tests.wire.rest import PREFIX
from tests.wire.wire import Wire

PICTURE = ("cat.png", b"\x89PNG and so on")
PASSED_ON = ("Content-Type", "Retry-After", "Via", "Date")


class Proxy:
    """Passes every request on to the stub, and remembers its path."""

    def __init__(self, api_url: str) -> None:
        self._api_url = api_url
        self.paths: list[str] = []

    async def serve(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        headers = {key: value for key, value in request.headers.items() if key != "Host"}
        url = self._api_url + request.path_qs.removeprefix(PREFIX)
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, url, data=await request.read(), headers=headers) as answer,
        ):
            kept: dict[str, Any] = {key: answer.headers[key] for key in PASSED_ON if key in answer.headers}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)


@pytest.fixture
async def proxy(wire: Wire) -> AsyncIterator[tuple[Proxy, str]]:
    passing = Proxy(wire.api_url)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", passing.serve)
    async with TestServer(app, host="127.0.0.1") as running:
        yield passing, str(running.make_url("")).rstrip("/")


async def test_all_requests_go_through_the_proxy_but_the_question_for_sessions(
    wire: Wire, proxy: tuple[Proxy, str]
) -> None:
    passing, url = proxy
    async with online(wire, settings=Settings(discord=Discord(rest_proxy_url=url))):
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
        interaction = await wire.slash("classify", PICTURE)
        await wire.world.until(lambda: interaction.message_ids)
        assert server.own_url("/gateway/bot") == f"{wire.api_url}/gateway/bot"
        await wire.world.until(lambda: len(wire.world.requests) == len(passing.paths))
    assert {request.path for request in wire.world.requests} == {
        path.removeprefix(PREFIX) for path in passing.paths
    }
    assert f"{PREFIX}/channels/{wire.world.general}/messages" in passing.paths
