"""The pictures of all servers, in the process: indexes are filled, asked, and given up."""

from __future__ import annotations

import threading
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
    IndexReply,
    IndexRequest,
    RankedReply,
    RankRequest,
    RemoveMessagesRequest,
)
from inference.knowledge.kept import KeptKey, KeptOfServers
from inference.knowledge.protocol import DoneReply, MissingReply
from inference.knowledge.seen_before import SAME_BITS
from inference.models.fingerprint import unpack_all
from inference.results import HASH_BYTES, SCALE_BYTES


class KeptIndex(NamedTuple):
    """The pictures of a server, and the version of them."""

    version: int
    images: ImageIndex

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.images.bytes


class ImageIndexes:
    """Answers requests about pictures.

    One thread fills indexes, another does all the rest; `books` is held while `kept` is used.
    """

    def __init__(self, kept: KeptOfServers, books: threading.Lock) -> None:
        self._kept = kept
        self._books = books
        self._filling: dict[KeptKey, KeptIndex] = {}
        self._forgotten: dict[int, int] = {}

    def reply(self, request: IndexRequest, data: bytes) -> IndexReply | DoneReply | MissingReply:
        """Do what is asked for. Raises ValueError for what cannot be right, or is too much to keep."""
        match request:
            case FindRequest():
                found = self._find(request, data)
                return found or MissingReply(id=request.id, what="index")
            case RankRequest():
                return _ranked(request, data)
            case FillIndexRequest():
                if not self._fill(request, data):
                    return MissingReply(id=request.id, what="index")
            case AddImagesRequest():
                self._add(request, data)
            case RemoveMessagesRequest():
                with self._books:
                    for kept in self._of(request.server).values():
                        kept.images.remove_messages(request.messages)
            case ForgetIndexRequest():
                self._forget(request)
        return DoneReply(id=request.id)

    def _fill(self, request: FillIndexRequest, data: bytes) -> bool:
        """Take some pictures of an index; return False where the first ones never came."""
        key = _key(request)
        if request.begin:
            index = ImageIndex(request.images.size - SCALE_BYTES)
            self._filling[key] = KeptIndex(request.version, index)
        filling = self._filling.get(key)
        if filling is None or filling.version != request.version:
            return False
        filling.images.add(_rows(request.images, data))
        if request.end:
            del self._filling[key]
            with self._books:
                if request.version >= self._forgotten.get(request.server, request.version):
                    self._kept[key] = filling
        return True

    def _add(self, request: AddImagesRequest, data: bytes) -> None:
        """Add pictures to an index, if it is there."""
        with self._books:
            kept = self._get(request)
            if kept is not None:
                kept.images.add(_rows(request.images, data))
                self._kept[_key(request)] = kept  # it takes more memory now

    def _find(self, request: FindRequest, data: bytes) -> FoundReply | None:
        """Return the candidates; None where the index is not there."""
        with self._books:
            kept = self._get(request)
            if kept is None:
                return None
            (fingerprint,) = unpack_all(data[: request.size], request.size)
            found = kept.images.nearest(fingerprint, request.places, request.count)
            same: list[PicturePlace] = []
            if request.hashed:
                hashed = int.from_bytes(data[request.size :], "big")
                same = kept.images.copies(hashed, SAME_BITS, request.places)
        return FoundReply(
            id=request.id,
            messages=tuple(place.message for place in found),
            positions=tuple(place.position for place in found),
            same_messages=tuple(place.message for place in same),
            same_positions=tuple(place.position for place in same),
        )

    def _forget(self, request: ForgetIndexRequest) -> None:
        with self._books:
            self._forgotten[request.server] = request.version
            for key, kept in self._of(request.server).items():
                if kept.version < request.version:
                    del self._kept[key]

    def _get(self, request: AddImagesRequest | FindRequest) -> KeptIndex | None:
        kept = self._kept.get(_key(request))
        return kept if isinstance(kept, KeptIndex) and kept.version == request.version else None

    def _of(self, server: int) -> dict[KeptKey, KeptIndex]:
        """Return the indexes of a server, of all kinds of fingerprints."""
        items = list(self._kept.items())
        return {key: kept for key, kept in items if key[0] == server and isinstance(kept, KeptIndex)}


def _ranked(request: RankRequest, data: bytes) -> RankedReply:
    one, *others = unpack_all(data, request.size)
    return RankedReply(id=request.id, cosines=tuple(cosines(one, np.stack(others)).tolist()))


def _key(request: FillIndexRequest | AddImagesRequest | FindRequest) -> KeptKey:
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
