"""A server's pictures are read from the store when somebody first asks about them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import NamedTuple

from inference.knowledge.image_search import ImageSearch, PicturePlace, SearchedImage
from tests.inference.knowledge.taught import KIND, Shelf, knowing, picture

CHANNEL = 5


class KeptPicture(NamedTuple):
    message_id: int
    position: int
    place_id: int
    kind: str
    fingerprint: bytes
    perceptual_hash: bytes | None = None


class Album:
    """A store of pictures of the things 1 to 5, each in a message of its number."""

    def __init__(self) -> None:
        self.times_read = 0
        self._kept = {(n, 0): KeptPicture(n, 0, CHANNEL, KIND, picture(n)) for n in range(1, 6)}

    async def all_of(self, server: int, kind: str) -> AsyncIterator[Sequence[SearchedImage]]:
        self.times_read += 1
        await asyncio.sleep(0.05)
        yield list(self._kept.values())

    async def these(self, places: Collection[PicturePlace]) -> Mapping[PicturePlace, SearchedImage]:
        return {place: self._kept[place] for place in places}


async def test_of_many_who_ask_at_once_one_has_the_store_read() -> None:
    album = Album()
    async with knowing(Shelf(), limit_bytes=1 << 26) as knowledge:
        search = ImageSearch(knowledge, index=album.all_of, these=album.these)
        found = await asyncio.gather(*(search.similar(1, KIND, picture(n), [CHANNEL]) for n in (2, 3, 4, 5)))
    assert [images[0].message_id for images in found] == [2, 3, 4, 5]
    assert album.times_read == 1
