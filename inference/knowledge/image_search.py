"""Find pictures that look like one: the part of this room that the bot's process imports for it.

NumPy is never loaded into the process that calls this.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple, Protocol
from weakref import WeakValueDictionary

from inference.knowledge.client import Knowledge
from inference.knowledge.index_protocol import (
    AddImagesRequest,
    FillIndexRequest,
    FindRequest,
    ForgetIndexRequest,
    FoundReply,
    ImageColumns,
    RankedReply,
    RankRequest,
    RemoveMessagesRequest,
)
from inference.knowledge.protocol import MissingReply
from inference.knowledge.results import KnowledgeFailed
from inference.knowledge.seen_before import SAME_COSINE
from inference.knowledge.server_versions import ServerVersions

CANDIDATES = 200
"""Pictures that are compared by their whole fingerprints."""
MOST_TRIES = 3
"""Fillings for one question: an index may be given up while it is filled, or be evicted at once."""

PicturePlace = tuple[int, int]
"""The id of a message, and the position of a picture in it."""


class SearchedImage(Protocol):
    """What is read of a picture: `place_id` is the channel whose readers may find it."""

    @property
    def message_id(self) -> int: ...
    @property
    def position(self) -> int: ...
    @property
    def place_id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def fingerprint(self) -> bytes: ...
    @property
    def perceptual_hash(self) -> bytes | None: ...


class SimilarImage(NamedTuple):
    """A picture that was found, and its cosine to the one that was asked about, -1 to 1."""

    message_id: int
    position: int
    cosine: float


class ImageSearch:
    """Searches the pictures of servers. It belongs to one event loop.

    `index` reads from the store, some at a time, the pictures of a server that have fingerprints of one kind,
    and `these` reads single ones, those that are still there. A server's pictures are read when somebody
    first asks about them.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        *,
        index: Callable[[int, str], AsyncIterator[Sequence[SearchedImage]]],
        these: Callable[[Collection[PicturePlace]], Awaitable[Mapping[PicturePlace, SearchedImage]]],
    ) -> None:
        self._knowledge = knowledge
        self._index = index
        self._these = these
        self._versions = ServerVersions()
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def similar(
        self, server: int, kind: str, fingerprint: bytes, places: Collection[int]
    ) -> list[SimilarImage]:
        """Return the pictures in `places` that look most like one, the likest first, at most `CANDIDATES`.

        `kind` is the `ModelInfo.fingerprints` of the model that made `fingerprint`. Raises KnowledgeFailed,
        and what `index` and `these` raise.
        """
        found = await self._find(server, kind, fingerprint, None, places)
        return await self._ranked(kind, fingerprint, list(zip(found.messages, found.positions, strict=True)))

    async def seen_before(
        self,
        server: int,
        kind: str,
        fingerprint: bytes,
        perceptual_hash: bytes | None,
        places: Collection[int],
    ) -> list[PicturePlace]:
        """Return the pictures in `places` that are the same one, as far as can be told.

        Raises as `similar` does.
        """
        found = await self._find(server, kind, fingerprint, perceptual_hash, places)
        nearest = list(zip(found.messages, found.positions, strict=True))
        alike = await self._ranked(kind, fingerprint, nearest)
        by_fingerprint = [(each.message_id, each.position) for each in alike if each.cosine >= SAME_COSINE]
        by_hash = list(zip(found.same_messages, found.same_positions, strict=True))
        return list(dict.fromkeys([*by_fingerprint, *(await self._these(by_hash) if by_hash else ())]))

    async def add(self, server: int, kind: str, images: Sequence[SearchedImage]) -> None:
        """Add pictures that the store has now. Raises KnowledgeFailed."""
        if not images or self._knowledge.pid is None:
            return  # they are read when somebody asks
        async with self._turn(server):
            columns = _columns(images, len(images[0].fingerprint))
            version = self._versions.of(server)
            request = AddImagesRequest(server=server, kind=kind, version=version, images=columns)
            await self._knowledge.ask(request, _bytes(images))

    async def remove(self, server: int, message_ids: Collection[int]) -> None:
        """Take out the pictures of messages that the store has no more. Raises KnowledgeFailed."""
        if message_ids and self._knowledge.pid is not None:
            async with self._turn(server):
                request = RemoveMessagesRequest(server=server, messages=tuple(message_ids))
                await self._knowledge.ask(request)

    def forget(self, server: int) -> None:
        """Give up a server's pictures: many are gone, or the server is. The next question reads them."""
        version = self._versions.raise_of(server)
        self._knowledge.tell(ForgetIndexRequest(server=server, version=version))

    def forget_all(self) -> None:
        """Give up the pictures of all servers: any of them may be gone."""
        self._versions.raise_all()

    def _turn(self, server: int) -> asyncio.Lock:
        """Return what is held while an index is filled or changed, so that neither undoes the other."""
        return self._turns.setdefault(server, asyncio.Lock())

    async def _find(
        self,
        server: int,
        kind: str,
        fingerprint: bytes,
        perceptual_hash: bytes | None,
        places: Collection[int],
    ) -> FoundReply:
        def asked() -> FindRequest:
            return FindRequest(
                server=server,
                kind=kind,
                version=self._versions.of(server),
                places=tuple(places),
                count=CANDIDATES,
                hashed=perceptual_hash is not None,
                size=len(fingerprint),
            )

        data = [fingerprint, perceptual_hash or b""]
        reply = await self._knowledge.ask(asked(), data)
        if isinstance(reply, MissingReply):
            async with self._turn(server):  # several may ask at once, and one filling is enough
                for _ in range(MOST_TRIES):
                    request = asked()
                    reply = await self._knowledge.ask(request, data)
                    if not isinstance(reply, MissingReply):
                        break
                    await self._fill(server, kind, len(fingerprint), request.version)
        match reply:
            case FoundReply() as found:
                return found
            case MissingReply():
                raise KnowledgeFailed(f"The pictures of server {server} change faster than they can be read.")
        raise KnowledgeFailed("Its process gave an answer to another question.")

    async def _fill(self, server: int, kind: str, size: int, version: int) -> None:
        """Read a server's pictures anew; its turn has to be held."""
        part = partial(FillIndexRequest, server=server, kind=kind, version=version)
        nothing = _columns([], size)
        await self._knowledge.ask(part(images=nothing, begin=True), slow=True)
        async for images in self._index(server, kind):
            await self._knowledge.ask(part(images=_columns(images, size)), _bytes(images), slow=True)
        await self._knowledge.ask(part(images=nothing, end=True), slow=True)

    async def _ranked(
        self, kind: str, fingerprint: bytes, places: Sequence[PicturePlace]
    ) -> list[SimilarImage]:
        """Compare pictures by their whole fingerprints, which the store has."""
        kept = (await self._these(places)) if places else {}
        images = {place: image for place, image in kept.items() if image.kind == kind}
        if not images:
            return []
        request = RankRequest(count=len(images), size=len(fingerprint))
        others = (image.fingerprint for image in images.values())
        match await self._knowledge.ask(request, [fingerprint, *others]):
            case RankedReply(cosines=cosines):
                found = [SimilarImage(*place, cosine) for place, cosine in zip(images, cosines, strict=True)]
                return sorted(found, key=lambda each: -each.cosine)
        raise KnowledgeFailed("Its process gave an answer to another question.")


def _columns(images: Sequence[SearchedImage], size: int) -> ImageColumns:
    return ImageColumns(
        messages=tuple(each.message_id for each in images),
        positions=tuple(each.position for each in images),
        places=tuple(each.place_id for each in images),
        hashed=tuple(each.perceptual_hash is not None for each in images),
        size=size,
    )


def _bytes(images: Sequence[SearchedImage]) -> list[bytes]:
    hashes = (each.perceptual_hash for each in images if each.perceptual_hash is not None)
    return list(chain((each.fingerprint for each in images), hashes))
