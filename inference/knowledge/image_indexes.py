"""The pictures of all servers, in the process: indexes are filled, asked, and given up."""

from __future__ import annotations

import threading
from collections.abc import MutableMapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.knowledge.image_index import ImageIndex, IndexRows, PicturePlace, cosines
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
from inference.knowledge.seen_before import SAME_BITS
from inference.models.fingerprint import unpack_all
from inference.results import HASH_BYTES, SCALE_BYTES


class KeptIndex(NamedTuple):
    """The pictures of a server, and the version of them."""

    version: int
    index: ImageIndex

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.index.bytes


IndexKey = tuple[int, str, str]
"""A server, a kind of fingerprints, and "index"."""


class ImageIndexes:
    """Answers requests about pictures. `kept` holds indexes and may drop those not used for longest.

    One thread fills indexes, another does all the rest; `books` is held while `kept` is used.
    """

    def __init__(self, kept: MutableMapping[IndexKey, KeptIndex], books: threading.Lock) -> None:
        self._kept = kept
        self._books = books
        self._filling: dict[IndexKey, KeptIndex] = {}
        self._forgotten: dict[int, int] = {}

    def fill(self, request: FillIndexRequest, data: bytes) -> bool:
        """Take some pictures of an index; return False where the first ones never came."""
        key = _key(request)
        if request.begin:
            index = ImageIndex(request.images.size - SCALE_BYTES)
            self._filling[key] = KeptIndex(request.version, index)
        filling = self._filling.get(key)
        if filling is None or filling.version != request.version:
            return False
        filling.index.add(_rows(request.images, data))
        if request.end:
            del self._filling[key]
            with self._books:
                if request.version >= self._forgotten.get(request.server, request.version):
                    self._kept[key] = filling
        return True

    def add(self, request: AddImagesRequest, data: bytes) -> None:
        """Add pictures to an index, if it is there."""
        with self._books:
            kept = self._kept.get(_key(request))
            if kept and kept.version == request.version:
                kept.index.add(_rows(request.images, data))
                self._kept[_key(request)] = kept  # it takes more memory now

    def remove(self, request: RemoveMessagesRequest) -> None:
        """Take the pictures of messages out of a server's indexes."""
        with self._books:
            for key in [key for key in self._kept if key[0] == request.server and key[2:] == ("index",)]:
                self._kept[key].index.remove_messages(request.messages)

    def find(self, request: FindRequest, data: bytes) -> FoundReply | None:
        """Return the candidates; None where the index is not there."""
        with self._books:
            kept = self._kept.get(_key(request))
            if kept is None or kept.version != request.version:
                return None
            (fingerprint,) = unpack_all(data[: request.size], request.size)
            found = kept.index.nearest(fingerprint, request.places, request.count)
            same: list[PicturePlace] = []
            if request.hashed:
                hashed = int.from_bytes(data[request.size :], "big")
                same = kept.index.copies(hashed, SAME_BITS, request.places)
        return FoundReply(
            id=request.id,
            messages=tuple(place.message for place in found),
            positions=tuple(place.position for place in found),
            same_messages=tuple(place.message for place in same),
            same_positions=tuple(place.position for place in same),
        )

    def rank(self, request: RankRequest, data: bytes) -> RankedReply:
        """Return the cosines of whole fingerprints to the first one."""
        one, *others = unpack_all(data, request.size)
        return RankedReply(id=request.id, cosines=tuple(cosines(one, np.stack(others)).tolist()))

    def forget(self, request: ForgetIndexRequest) -> None:
        """Give up a server's indexes of earlier versions."""
        with self._books:
            self._forgotten[request.server] = request.version
            for key in [key for key in self._kept if key[0] == request.server and key[2:] == ("index",)]:
                if self._kept[key].version < request.version:
                    del self._kept[key]


def _key(request: FillIndexRequest | AddImagesRequest | FindRequest) -> IndexKey:
    return request.server, request.kind, "index"


def _rows(images: ImageColumns, data: bytes) -> IndexRows:
    end = len(images.messages) * images.size
    hashed = np.array(images.hashed, np.bool_)
    hashes: NDArray[np.uint64] = np.zeros(len(hashed), np.uint64)
    hashes[hashed] = np.frombuffer(data[end:], f">u{HASH_BYTES}")
    return IndexRows(
        messages=np.array(images.messages, np.int64),
        positions=np.array(images.positions, np.uint8),
        places=np.array(images.places, np.int64),
        fingerprints=unpack_all(data[:end], images.size),
        hashes=hashes,
        hashed=hashed,
    )
