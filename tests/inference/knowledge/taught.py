"""A made-up server: what it has taught, and a background, as packed fingerprints."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from inference.knowledge.client import Knowledge
from inference.knowledge.results import TaughtExample
from inference.models.fingerprint import pack
from tests.inference.teaching.clusters import cluster

KIND = "kind"
BACKGROUND = [pack(cluster(5000 + number, 1)[0]) for number in range(40)]


def picture(thing: int, *, seed: int = 9) -> bytes:
    """The fingerprint of a new picture of the thing with this number."""
    return pack(cluster(thing, 1, seed=seed)[0])


def taught(*things: int, count: int = 8) -> list[TaughtExample]:
    """So many examples of each thing, under a label of its number; those of 0 are "none of these"."""
    return [
        TaughtExample(1000 * thing + number, thing or None, pack(vector))
        for thing in things
        for number, vector in enumerate(cluster(thing, count))
    ]


class Shelf:
    """A store: what servers have taught, by (server, kind), and which of it was read, in order."""

    def __init__(self) -> None:
        self.servers: dict[tuple[int, str], Sequence[TaughtExample]] = {}
        self.read: list[tuple[int, str]] = []
        self.backgrounds_read = 0

    async def examples(self, server: int, kind: str) -> Sequence[TaughtExample]:
        self.read.append((server, kind))
        return self.servers.get((server, kind), ())

    async def background(self, kind: str) -> Sequence[bytes]:
        self.backgrounds_read += 1
        return BACKGROUND


@asynccontextmanager
async def knowing(shelf: Shelf, *, limit_bytes: int = 1 << 20) -> AsyncIterator[Knowledge]:
    knowledge = Knowledge(
        examples=shelf.examples, background=shelf.background, limit_bytes=limit_bytes, nice=0
    )
    try:
        yield knowledge
    finally:
        await knowledge.close()
