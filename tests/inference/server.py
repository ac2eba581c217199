"""A Hub of our own on the loopback: it serves archives, and misbehaves in the ways that servers do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Hub", "serving"]

Answer = Callable[["Hub", BaseHTTPRequestHandler], None]


class Hub:
    """`url` is its address. `answers` are given one a request, the last one from then on; `requests` are the
    paths asked for."""

    def __init__(self, url: str, answers: list[Answer]) -> None:
        self.url = url
        self.answers = answers
        self.requests: list[str] = []
        self.closing = threading.Event()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append(handler.path)
        give = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        try:
            give(self, handler)
        except OSError:
            handler.close_connection = True  # it hung up, or was killed


def archive(data: bytes, *, announced: int | None = None) -> Answer:
    """Serve `data`, announcing its length or another."""

    def give(_: Hub, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/x-tar-gz")
        handler.send_header("Content-Length", str(len(data) if announced is None else announced))
        handler.end_headers()
        handler.wfile.write(data)

    return give


def status(code: int) -> Answer:
    return lambda _, handler: handler.send_error(code)


def silence(hub: Hub, _: BaseHTTPRequestHandler) -> None:
    """Take the request and never answer."""
    hub.closing.wait()


def drip(data: bytes) -> Answer:
    """Announce `data`, send its first half, and then a byte a second."""

    def give(hub: Hub, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        half = len(data) // 2
        handler.wfile.write(data[:half])
        for i in range(half, len(data)):
            if hub.closing.wait(1):
                return
            handler.wfile.write(data[i : i + 1])

    return give


@contextmanager
def serving(*answers: Answer) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub = Hub(f"http://127.0.0.1:{server.server_address[1]}", list(answers))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield hub
        finally:
            hub.closing.set()
            server.shutdown()
            thread.join()
