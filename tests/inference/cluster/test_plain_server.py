"""A node behind plain HTTP, as a process of its own that gets signals and wild requests."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from config.settings import ConfigError, Settings
from inference.cluster.plain_server import node_secret
from inference.frames import frame
from inference.serving.cluster_client.answer_protocol import NodeQuestion
from tests.inference.cluster.nodes import Node, nodes
from tests.inference.fakes import Deed, deed, picture, until

QUESTION = frame(NodeQuestion(ranked=10, seconds=30))


async def asked(node: Node, body: bytes | None, path: str = "/v1/answer") -> tuple[int, bytes]:
    """The status and the body that a POST with `body` gets, or a GET without."""
    method = "GET" if body is None else "POST"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, node.url + path, data=body) as said,
    ):
        return said.status, await said.read()


async def asked_until(node: Node, body: bytes, wanted: int) -> bytes:
    """The body of the first answer of this status."""
    while True:
        status, said = await asked(node, body)
        if status == wanted:
            return said
        await asyncio.sleep(0.01)


async def until_in_hand(node: Node, some: bool) -> None:
    """Wait until the node has some images, or none."""
    while True:
        if bool((await node.state())["images"]) is some:
            return
        await asyncio.sleep(0.002)


async def one_piece() -> AsyncIterator[bytes]:
    yield b"x"


async def test_told_to_stop_it_answers_what_is_in_hand_and_refuses_what_comes() -> None:
    async with Node() as node:
        work = [asyncio.create_task(asked(node, QUESTION + deed(Deed.SLOW, red))) for red in range(12)]
        await until_in_hand(node, True)
        node.send(signal.SIGTERM)
        refused = await asked_until(node, QUESTION + picture(1), 503)
        assert json.loads(refused)["message"] == "The node is stopping."
        answers = await asyncio.gather(*work)
        assert [status for status, _ in answers] == [200] * 12
        assert await node.ended() == 0
        assert b"everything in hand was answered" in node.said


async def test_what_takes_longer_than_may_be_is_counted_when_it_ends() -> None:
    async with Node(queue={"drain": 0.2}) as node:
        work = asyncio.create_task(asked(node, QUESTION + deed(Deed.HANG)))
        await until_in_hand(node, True)
        assert await node.stop() == 1
        assert b"1 images were still unanswered after 0.2 s" in node.said
        assert isinstance(
            (await asyncio.gather(work, return_exceptions=True))[0], tuple | aiohttp.ClientError
        )


async def test_no_worker_outlives_a_node_that_is_killed() -> None:
    async with Node() as node:
        (worker,) = node.workers
        await node.kill()
        await until(lambda: not worker.is_running() or worker.status() == "zombie")


async def test_who_leaves_takes_the_picture_along() -> None:
    async with Node() as node:
        work = asyncio.create_task(asked(node, QUESTION + deed(Deed.HANG)))
        await until_in_hand(node, True)
        work.cancel()
        await until_in_hand(node, False)


async def test_wild_requests_are_refused_and_the_node_goes_on() -> None:
    async with Node(limits={"image_bytes": 1000}) as node:
        assert (await asked(node, b""))[0] == 400
        assert (await asked(node, b"\xff" * 500))[0] == 400
        assert (await asked(node, QUESTION + b"x" * 1001))[0] == 422
        assert (await asked(node, b"x" * 100_000))[0] == 422
        assert (await asked(node, QUESTION, "/v1/nothing"))[0] == 404
        assert (await asked(node, None))[0] == 405

        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{node.url}/v1/answer", data=one_piece()) as said,
        ):
            assert said.status == 411
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
        writer.write(b"GET / HTTP/1.1\r\nA: " + b"a" * 100_000 + b"\r\n\r\n")
        assert b" 400 " in await reader.read(100)
        writer.close()
        assert (await asked(node, QUESTION + picture(1)))[0] == 200
        assert (await asked(node, None, "/healthz")) == (200, b"{}")


async def test_bytes_in_hand_are_bounded_before_they_are_read() -> None:
    async with Node(queue={"bytes": 40_000}, limits={"image_bytes": 30_000}) as node:
        body = QUESTION + b"x" * 25_000
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
        writer.write(f"POST /v1/answer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        writer.write(body[:-1])
        await writer.drain()
        refused = await asked_until(node, body, 429)  # before, the other one has not arrived yet
        assert "queue.bytes" in json.loads(refused)["message"]
        writer.write(body[-1:])
        assert b" 422 " in await reader.read(100)
        writer.close()


def test_other_machines_need_a_secret(tmp_path: Path) -> None:
    def secret(**cluster: str) -> str | None:
        settings = Settings.model_validate({"cluster": cluster})
        return node_secret(settings, settings.cluster.address)

    assert secret() is None
    assert secret(listen="[::1]:8720") is None
    for listen in ("0.0.0.0:8720", "10.0.0.2:8720", "[::]:8720"):
        with pytest.raises(ConfigError, match="need a secret"):
            secret(listen=listen)
    file = tmp_path / "secret"
    file.write_text("0123456789abcdef\n")
    assert secret(listen="10.0.0.2:8720", secret_file=str(file)) == "0123456789abcdef"


async def test_two_nodes_cannot_have_one_address() -> None:
    async with nodes(1) as (node,):
        second = Node()
        second.settings = node.settings
        second.url = "http://127.0.0.1:1"
        with pytest.raises(RuntimeError, match=rf"listen is 127.0.0.1:{node.port}, where nothing can"):
            await second.start()
