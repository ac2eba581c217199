"""The stub's file host: attachments, the ways a download goes wrong, and a media proxy that resizes."""

from __future__ import annotations

import asyncio
import io
import mimetypes
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web
from aiohttp.web import Request
from aiohttp.web import StreamResponse as Response

from tests.wire.world import snowflake

__all__ = [
    "Asked",
    "Cdn",
    "Reply",
    "Request",
    "Response",
    "cut",
    "endless",
    "lying",
    "page",
    "plain",
    "raw",
    "redirect",
    "resized",
    "slow",
    "status",
]

Reply = Callable[[Request, bytes], Awaitable[Response]]
"""What to answer a request for a file, given the file's bytes."""

STOPPED_AFTER = 1000


class Asked(NamedTuple):
    """One request for a file."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


class Cdn:
    """Files by path. `answer` (or `answers` by path) replaces the plain answer."""

    def __init__(self) -> None:
        self.origin = ""
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, Reply] = {}
        self.answer: Reply = plain
        self.asked: list[Asked] = []
        self.finished = 0
        """Requests whose answer was taken to its end by the client."""
        self._asked = asyncio.Event()

    def add(self, channel_id: str, filename: str, data: bytes) -> str:
        """Host a file; returns its path, signed as Discord's are."""
        path = f"/attachments/{channel_id}/{snowflake()}/{filename}"
        self.files[path] = data
        return f"{path}?ex=66&is=65&hm=ab"

    async def until_asked(self, times: int = 1) -> None:
        """Wait until that many files were asked for in all."""
        while len(self.asked) < times:
            self._asked.clear()
            await self._asked.wait()

    async def serve(self, request: Request) -> Response:
        """The endpoint of every file."""
        self.asked.append(Asked(request.path, dict(request.query), dict(request.headers)))
        self._asked.set()
        reply = self.answers.get(request.path, self.answer)
        if request.path not in self.files and reply is plain:
            return web.Response(status=404, text="This content is no longer available.")
        response = await reply(request, self.files.get(request.path, b""))
        self.finished += 1
        return response


async def plain(request: Request, data: bytes) -> Response:
    """The file, with the type its name has."""
    kind = mimetypes.guess_type(request.path)[0] or "application/octet-stream"
    return web.Response(body=data, content_type=kind)


def status(code: int, text: str = "") -> Reply:
    """Nothing but a status."""

    async def reply(_request: Request, _data: bytes) -> Response:
        return web.Response(status=code, text=text)

    return reply


def page(kind: str = "text/html") -> Reply:
    """Something to read instead of a picture, with status 200."""

    async def reply(_request: Request, _data: bytes) -> Response:
        return web.Response(text="<html>Sign in to go on</html>", content_type=kind)

    return reply


def redirect(to: str, code: int = 302) -> Reply:
    """A redirect to `to`."""

    async def reply(_request: Request, _data: bytes) -> Response:
        return web.Response(status=code, headers={"Location": to})

    return reply


def slow(seconds: float, *, before: bool = False) -> Reply:
    """A byte, and a pause, and a byte; or (`before`) a pause before the first header."""

    async def reply(request: Request, data: bytes) -> Response:
        if before:
            await asyncio.sleep(seconds)
            return await plain(request, data)
        response = Response()
        response.content_length = len(data)
        await response.prepare(request)
        for byte in data:
            await response.write(bytes([byte]))
            await asyncio.sleep(seconds)
        return response

    return reply


def cut(after: int) -> Reply:
    """The connection breaks after some bytes of the promised length."""

    async def reply(request: Request, data: bytes) -> Response:
        response = Response()
        response.content_length = len(data)
        await response.prepare(request)
        await response.write(data[:after])
        assert request.transport is not None
        request.transport.close()
        return response

    return reply


def raw(data: bytes) -> Reply:
    """These bytes and nothing else, whatever HTTP says."""

    async def reply(request: Request, _data: bytes) -> Response:
        assert request.transport is not None
        request.transport.write(data)
        request.transport.close()
        return web.Response()

    return reply


def endless() -> Reply:
    """Zeros without a length, until the client has had enough."""

    async def reply(request: Request, _data: bytes) -> Response:
        response = Response()
        await response.prepare(request)
        for _ in range(STOPPED_AFTER):
            await response.write(bytes(64 * 1024))
        return response

    return reply


def lying(length: int) -> Reply:
    """A header that promises `length` bytes; none follows."""

    async def reply(request: Request, _data: bytes) -> Response:
        response = Response(headers={"Content-Type": "image/png"})
        response.content_length = length
        await response.prepare(request)
        await asyncio.sleep(30)
        return response

    return reply


def resized() -> Reply:
    """Discord's media proxy: `width` and `height` make the picture smaller, in its own format."""

    async def reply(request: Request, data: bytes) -> Response:
        if "width" not in request.query:
            return await plain(request, data)
        box = int(request.query["width"]), int(request.query["height"])
        small, kind = await asyncio.to_thread(_reduce, data, box)
        return web.Response(body=small, content_type=kind)

    return reply


def _reduce(data: bytes, box: tuple[int, int]) -> tuple[bytes, str]:
    from PIL import Image  # noqa: PLC0415 - only where a test resizes

    with Image.open(io.BytesIO(data)) as image:
        kind = image.format or "PNG"
        image.draft(None, box)
        small = image.resize(box, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, kind, quality=85)
    return out.getvalue(), Image.MIME[kind]
