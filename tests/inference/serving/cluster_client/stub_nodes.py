"""Nodes that misbehave: each speaks HTTP as a real one does, and answers what a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from inference.results import ModelInfo
from inference.serving.cluster_client.answer_protocol import (
    ANSWER_PATH,
    STATE_PATH,
    NodeAnswer,
    NodeQuestion,
    NodeState,
    model_hash,
    unpack_question,
)
from inference.serving.protocol import AnsweredReply
from tests.inference.fakes import CLASSES

INFO = ModelInfo(
    name="stub",
    engine="fake",
    input_size=32,
    classes=CLASSES,
    note=None,
    content_hash="5" * 64,
    preprocessing=1,
    labels=tuple(f"shade {number}" for number in range(CLASSES)),
    coarse=(None,) * CLASSES,
)

Answering = Callable[["StubNode"], Awaitable[web.StreamResponse]]


class StubNode:
    """Answers with `answering`; `asked` has each picture that it was asked about. The first `absent` times
    that it is asked how it is, there is nobody at its address."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self.asked: list[bytes] = []
        self.questions: list[NodeQuestion] = []
        self.url = ""
        self.info = INFO
        self.fault: str | None = None
        self.absent = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        question, picture = unpack_question(await request.read())
        self.asked.append(picture)
        self.questions.append(question)
        self.request = request
        return await self._answering(self)

    async def state(self, _request: web.Request) -> web.Response:
        if self.absent:
            self.absent -= 1
            return web.Response(status=404)
        state = NodeState(
            model=self.info,
            fault=self.fault,
            images=0,
            places=256,
            image_bytes=1 << 20,
            breaker_open=False,
            restarts=0,
            condemned=0,
        )
        return web.Response(body=state.model_dump_json())

    def named(self, number: int = 1, **changes: Any) -> NodeAnswer:
        """An honest answer: the class of this number."""
        label = self.info.labels[number]
        reply = AnsweredReply.model_validate(
            {
                "id": 0,
                "labels": ((label, number, 0.9, None),),
                "size": (40, 40),
                "views": 1,
                "decode_ms": 1,
                "predict_ms": 1,
                "core_seconds": 0.01,
            }
            | changes
        )
        return NodeAnswer(model_hash=model_hash(self.info), model=self.info, reply=reply)


async def honest(node: StubNode) -> web.StreamResponse:
    return web.Response(body=node.named().model_dump_json())


async def cuts_the_connection(node: StubNode) -> web.StreamResponse:
    assert node.request.transport
    node.request.transport.abort()
    await asyncio.sleep(3600)
    raise AssertionError


async def says_nothing(_node: StubNode) -> web.StreamResponse:
    await asyncio.sleep(3600)
    raise AssertionError


async def never_stops(node: StubNode) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(node.request)
    while True:
        await response.write(b" " * (1 << 20))


def lies(**changes: Any) -> Answering:
    """An answer that is honest but for these fields."""

    async def answer(node: StubNode) -> web.StreamResponse:
        return web.Response(body=node.named(**changes).model_dump_json())

    return answer


def says(status: int, body: bytes = b"", **headers: str) -> Answering:
    async def answer(_node: StubNode) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=headers)

    return answer


@asynccontextmanager
async def stub(answering: Answering) -> AsyncIterator[StubNode]:
    node = StubNode(answering)
    application = web.Application(client_max_size=1 << 24)
    application.router.add_post(ANSWER_PATH, node.answer)
    application.router.add_get(STATE_PATH, node.state)
    server = TestServer(application)
    await server.start_server(shutdown_timeout=0.0)
    node.url = str(server.make_url("")).rstrip("/")
    try:
        yield node
    finally:
        await server.close()
