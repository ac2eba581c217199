"""Ask what servers have taught: the one part of this room that the bot's process imports, besides `results`.

NumPy is never loaded into the process that calls this.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from weakref import WeakValueDictionary

from cachetools import LRUCache

from inference.knowledge.index_protocol import FINGERPRINT_BYTES
from inference.knowledge.knowledge_process import KnowledgeDied, KnowledgeProcess
from inference.knowledge.protocol import (
    BackgroundRequest,
    DirectionReply,
    DirectionRequest,
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
from inference.knowledge.results import (
    KnowledgeFailed,
    SuspectExample,
    TaughtAnswer,
    TaughtExample,
    TeachingReport,
)
from inference.knowledge.server_versions import ServerVersions

log = logging.getLogger(__name__)

QUERY_SECONDS = 15.0
"""For an answer that takes a millisecond: after that, the process is taken for hung and replaced."""
FIT_SECONDS = 120.0
"""For a fit or a test. Of 20,000 examples it takes seconds; others' fits may come before it."""
MOST_TRIES = 3
"""Fits for one question: what was taught may change while it is fitted, or be evicted at once."""
MOST_UNTAUGHT = 10_000
"""Servers of which it is remembered that they have taught nothing."""


class Knowledge:
    """Names pictures by what servers taught. It belongs to one event loop.

    `examples` reads from the store what a server has taught with fingerprints of one kind; `background` gives
    the fingerprints of pictures in general of that kind. The process that does the arithmetic starts when it
    is first needed, keeps at most `limit_bytes` of all servers, and runs with the niceness `nice`. What it
    does not know any more it is told again.
    """

    def __init__(
        self,
        *,
        examples: Callable[[int, str], Awaitable[Sequence[TaughtExample]]],
        background: Callable[[str], Awaitable[Sequence[bytes]]],
        limit_bytes: int,
        nice: int,
    ) -> None:
        self._examples = examples
        self._background = background
        self._process = KnowledgeProcess(memory=limit_bytes, nice=nice)
        # Fits have threads of their own, so that those who only ask never wait for one.
        self._asking = ThreadPoolExecutor(4, "knowledge")
        self._fitting = ThreadPoolExecutor(2, "knowledge-fit")
        self._versions = ServerVersions()
        self._untaught: LRUCache[tuple[int, str], int] = LRUCache(MOST_UNTAUGHT)
        self._turns: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()

    @property
    def pid(self) -> int | None:
        """The process id of what does the arithmetic, None while it is not running."""
        return self._process.pid

    async def name(self, server: int, kind: str, fingerprint: bytes) -> TaughtAnswer | None:
        """Return which of the server's labels fits a picture best; None where it has taught none.

        `kind` is the `ModelInfo.fingerprints` of the model that made `fingerprint`. Raises KnowledgeFailed,
        and what `examples` and `background` raise.
        """

        def ask(version: int) -> NameRequest:
            return NameRequest(server=server, kind=kind, version=version, size=_size([fingerprint]))

        match await self._ask_server(server, kind, ask, fingerprint):
            case NamedReply() as named:
                return TaughtAnswer(named.label, named.score, named.needed, named.accepted, named.few)
            case None:
                return None
        raise KnowledgeFailed("Its process gave an answer to another question.")

    async def direction(self, server: int, kind: str, label: int, fingerprint: bytes) -> bytes | None:
        """Return what speaks for a label in a picture, as `Classifier.explain` takes it for a heat map.

        None where the server has taught nothing. Raises as `name` does, also for a label that is not taught.
        """

        def ask(version: int) -> DirectionRequest:
            return DirectionRequest(
                server=server, kind=kind, version=version, label=label, size=_size([fingerprint])
            )

        match await self._ask_server(server, kind, ask, fingerprint):
            case DirectionReply(direction=direction):
                return direction
            case None:
                return None
        raise KnowledgeFailed("Its process gave an answer to another question.")

    async def test(self, server: int, kind: str) -> TeachingReport | None:
        """Return how well the server's labels name its own examples; None where it has taught none.

        Raises as `name` does.
        """
        examples = await self._examples(server, kind)
        if all(example.label is None for example in examples):
            return None
        request = ReportRequest(
            kind=kind,
            examples=tuple(each.example for each in examples),
            labels=tuple(each.label for each in examples),
            size=_size([each.fingerprint for each in examples]),
        )
        match await self._ask_with_background(kind, request, [each.fingerprint for each in examples]):
            case ReportReply() as report:
                return TeachingReport(
                    labels=report.labels,
                    counts=report.counts,
                    confusion=report.confusion,
                    refused=report.refused,
                    nones=report.nones,
                    suspects=tuple(SuspectExample(*suspect) for suspect in report.suspects),
                )
        raise KnowledgeFailed("Its process gave an answer to another question.")

    async def prepare(self, server: int, kind: str) -> None:
        """Fit what the server has taught, so that the next `name` need not wait. Raises as `name` does."""
        await self._fit(server, kind)

    async def ask(
        self, request: KnowledgeRequest, data: Sequence[bytes] = (), *, slow: bool = False
    ) -> KnowledgeReply:
        """Send any request, and return the reply; `slow`: it may have to wait for a fit.

        Raises KnowledgeFailed.
        """
        if slow:
            return await self._ask(self._fitting, request, data, FIT_SECONDS)
        return await self._ask(self._asking, request, data, QUERY_SECONDS)

    def tell(self, request: KnowledgeRequest) -> None:
        """Send a request to the process if it is running; what it answers is not wanted."""
        if self._process.pid is not None:
            self._asking.submit(self._process.tell, request, seconds=QUERY_SECONDS)

    def forget(self, server: int) -> None:
        """Forget what a server has taught: it changed, or the server is gone. The next question reads it."""
        version = self._versions.raise_of(server)
        for key in [key for key in self._untaught if key[0] == server]:
            del self._untaught[key]
        self.tell(ForgetRequest(server=server, version=version))

    def forget_all(self) -> None:
        """Forget what all servers have taught: any of it may have changed."""
        self._versions.raise_all()

    async def close(self) -> None:
        """End the process. May be called again."""
        await asyncio.to_thread(self._process.close)
        for pool in (self._asking, self._fitting):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _ask_server(
        self, server: int, kind: str, ask: Callable[[int], KnowledgeRequest], fingerprint: bytes
    ) -> KnowledgeReply | None:
        """Ask of a server's labels, and have them fitted where they are not known. None: there are none.

        `ask` makes the question from the version that is to be asked of.
        """
        reply = await self._ask_version(server, kind, ask, fingerprint)
        if not isinstance(reply, MissingReply):
            return reply
        turn = self._turns.setdefault((server, kind), asyncio.Lock())
        async with turn:  # several pictures may come at once, and one fit is enough
            for _ in range(MOST_TRIES):
                reply = await self._ask_version(server, kind, ask, fingerprint)
                if not isinstance(reply, MissingReply):
                    return reply
                await self._fit(server, kind)
        raise KnowledgeFailed(f"What server {server} taught changes faster than it can be fitted.")

    async def _ask_version(
        self, server: int, kind: str, ask: Callable[[int], KnowledgeRequest], fingerprint: bytes
    ) -> KnowledgeReply | None:
        version = self._versions.of(server)
        if self._untaught.get((server, kind)) == version:
            return None
        return await self._ask(self._asking, ask(version), [fingerprint], QUERY_SECONDS)

    async def _fit(self, server: int, kind: str) -> None:
        version = self._versions.of(server)
        examples = await self._examples(server, kind)
        if all(example.label is None for example in examples):
            self._untaught[server, kind] = version
            return
        request = FitRequest(
            server=server,
            kind=kind,
            version=version,
            examples=tuple(each.example for each in examples),
            labels=tuple(each.label for each in examples),
            size=_size([each.fingerprint for each in examples]),
        )
        await self._ask_with_background(kind, request, [each.fingerprint for each in examples])

    async def _ask_with_background(
        self, kind: str, request: KnowledgeRequest, data: Sequence[bytes]
    ) -> KnowledgeReply:
        """Ask for what takes seconds and needs the background of the kind; give that where it is missing."""
        for _ in range(MOST_TRIES):
            reply = await self._ask(self._fitting, request, data, FIT_SECONDS)
            if not isinstance(reply, MissingReply):
                return reply
            background = await self._background(kind)
            given = BackgroundRequest(kind=kind, count=len(background), size=_size(background))
            await self._ask(self._fitting, given, background, FIT_SECONDS)
        raise KnowledgeFailed(f"The background of {kind} was forgotten as soon as it was given.")

    async def _ask(
        self, pool: ThreadPoolExecutor, request: KnowledgeRequest, data: Sequence[bytes], seconds: float
    ) -> KnowledgeReply:
        ask = partial(self._process.ask, request, data, seconds=seconds)
        loop = asyncio.get_running_loop()
        try:
            reply = await loop.run_in_executor(pool, ask)
        except KnowledgeDied:
            log.warning("The process that knows what servers taught has died, and is replaced.")
            try:
                reply = await loop.run_in_executor(pool, ask)
            except KnowledgeDied:
                raise KnowledgeFailed("Its process died twice over one question.") from None
        if isinstance(reply, FailedReply):
            raise KnowledgeFailed(reply.reason)
        return reply


def _size(fingerprints: Sequence[bytes]) -> int:
    """Return the bytes of each fingerprint. Raises KnowledgeFailed unless all have as many, and some."""
    sizes = sorted({len(fingerprint) for fingerprint in fingerprints})
    if len(sizes) != 1 or not 0 < sizes[0] <= FINGERPRINT_BYTES:
        raise KnowledgeFailed(
            f"Fingerprints of one kind have one length, of up to {FINGERPRINT_BYTES} bytes, and these have "
            f"{', '.join(map(str, sizes))}."
        )
    return sizes[0]
