"""What the process does with each request."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from inference.frames import FramedMessage
from inference.knowledge.image_indexes import ImageIndexes
from inference.knowledge.index_protocol import FillIndexRequest
from inference.knowledge.kept import KeptOfServers
from inference.knowledge.protocol import (
    BackgroundRequest,
    DirectionReply,
    DirectionRequest,
    DoneReply,
    FailedReply,
    FitRequest,
    ForgetRequest,
    KnowledgeReply,
    KnowledgeRequest,
    MissingReply,
    NamedReply,
    NameRequest,
    ReportReply,
    ReportRequest,
)
from inference.models.fingerprint import pack, unpack, unpack_all
from inference.teaching.background import Background
from inference.teaching.head import NONE, TaughtHead
from inference.teaching.leave_one_out import leave_one_out

MOST_KINDS = 4
"""Kinds of fingerprints whose background is kept: one a model in use."""


class FittedLabels(NamedTuple):
    """What a server taught, fitted, and the version of it."""

    version: int
    head: TaughtHead

    @property
    def nbytes(self) -> int:
        return self.head.nbytes


class KnowledgeService:
    """Answers requests: what takes a millisecond at once, what takes longer on a thread, one after the other.

    Fitted labels and pictures of all servers take at most `memory` bytes; what was not used for longest goes
    first. `tell` sends a reply; it is called on both threads, never at once.
    """

    def __init__(self, memory: int, tell: Callable[[FramedMessage], None]) -> None:
        self._memory = memory
        self._tell = tell
        self._turn = threading.Lock()
        self._slow = ThreadPoolExecutor(1, "fit")
        self._books = threading.Lock()
        self._kept = KeptOfServers(memory)
        self._images = ImageIndexes(self._kept, self._books)
        self._forgotten: dict[int, int] = {}
        self._backgrounds: LRUCache[str, Background] = LRUCache(MOST_KINDS)

    def take(self, request: KnowledgeRequest, data: bytes) -> None:
        """Answer a request, now or soon."""
        if isinstance(request, BackgroundRequest | FitRequest | ReportRequest | FillIndexRequest):
            self._slow.submit(self._answer, request, data)
        else:
            self._answer(request, data)

    def _answer(self, request: KnowledgeRequest, data: bytes) -> None:
        try:
            reply = self._reply(request, data)
        except (ValueError, MemoryError) as error:
            reply = FailedReply(id=request.id, reason=f"{type(error).__name__}: {error}"[:2000])
        except Exception:  # noqa: BLE001 - the process ends, and the client deals with it
            traceback.print_exc()
            os._exit(1)
        with self._turn:
            self._tell(reply)

    def _reply(self, request: KnowledgeRequest, data: bytes) -> KnowledgeReply:
        match request:
            case BackgroundRequest():
                self._backgrounds[request.kind] = Background(unpack_all(data, request.size))
                return DoneReply(id=request.id)
            case FitRequest():
                return self._fit(request, data)
            case ReportRequest():
                return self._report(request, data)
            case ForgetRequest():
                return self._forget(request)
            case NameRequest() | DirectionRequest():
                return self._ask(request, data)
        return self._images.reply(request, data)

    def _ask(self, request: NameRequest | DirectionRequest, data: bytes) -> KnowledgeReply:
        with self._books:
            fitted = self._kept.get((request.server, request.kind, "labels"))
        if not isinstance(fitted, FittedLabels) or fitted.version != request.version:
            return MissingReply(id=request.id, what="labels")
        if isinstance(request, DirectionRequest):
            direction = fitted.head.direction(request.label, unpack(data))
            return DirectionReply(id=request.id, direction=pack(direction))
        return _named(request, fitted.head, data)

    def _fit(self, request: FitRequest, data: bytes) -> KnowledgeReply:
        background = self._backgrounds.get(request.kind)
        if background is None:
            return MissingReply(id=request.id, what="background")
        head = TaughtHead(unpack_all(data, request.size), _numbers(request.labels), background)
        fitted = FittedLabels(request.version, head)
        if fitted.nbytes > self._memory:
            raise ValueError(
                f"the labels of server {request.server} take {fitted.nbytes >> 10} KiB, and all servers "
                f"together may take {self._memory >> 10} (knowledge.memory)"
            )
        with self._books:
            if request.version >= self._forgotten.get(request.server, request.version):
                self._kept[request.server, request.kind, "labels"] = fitted
        return DoneReply(id=request.id)

    def _report(self, request: ReportRequest, data: bytes) -> KnowledgeReply:
        background = self._backgrounds.get(request.kind)
        if background is None:
            return MissingReply(id=request.id, what="background")
        tested = leave_one_out(unpack_all(data, request.size), _numbers(request.labels), background)
        return ReportReply(
            id=request.id,
            labels=tuple(tested.labels),
            counts=tuple(tested.counts),
            confusion=tuple(tuple(row) for row in tested.confusion.tolist()),
            refused=tuple(tested.refused.tolist()),
            nones=request.labels.count(None),
            suspects=tuple(
                (request.examples[place], label, other) for place, label, other in tested.suspects
            ),
        )

    def _forget(self, request: ForgetRequest) -> KnowledgeReply:
        with self._books:
            self._forgotten[request.server] = request.version
            for key, kept in list(self._kept.items()):
                if key[::2] == (request.server, "labels") and kept.version < request.version:
                    del self._kept[key]
        return DoneReply(id=request.id)


def _named(request: NameRequest, head: TaughtHead, data: bytes) -> NamedReply:
    named = head.name(unpack(data))
    return NamedReply(
        id=request.id,
        label=named.label,
        score=named.score,
        needed=named.needed,
        accepted=named.accepted,
        few=named.few,
    )


def _numbers(labels: Sequence[int | None]) -> NDArray[np.int64]:
    return np.array([NONE if label is None else label for label in labels], np.int64)
