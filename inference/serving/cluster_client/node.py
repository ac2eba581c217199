"""One address of `cluster.urls` as the bot sees it: ask it, and know whether it can be asked."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from enum import Enum, auto

import aiohttp

from inference.frames import frame
from inference.results import InferenceError, ModelInfo
from inference.serving.cluster_client.answer_protocol import (
    ANSWER_BYTES,
    ANSWER_PATH,
    REFUSED,
    STATE_PATH,
    NodeAnswer,
    NodeQuestion,
    NodeRefusal,
    NodeState,
)

CONNECT_SECONDS = 2.0
"""For a connection to a machine of the owner's own network."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds that a node is left alone after it was full or failed; the pause doubles each time."""

PIECE_BYTES = 64 * 1024
"""What is put into a connection at once."""

ROOM_BACK = 0.1
"""How much of a place a node that was full gets back with each answer."""


class FaultKind(Enum):
    """Why a node is not asked."""

    AWAY = auto()
    """It cannot be reached, or what it says is none of ours."""
    NOT_READY = auto()
    """It loads its model, stops, or its worker keeps dying."""
    OWNERS = auto()
    """Only the owner can mend it: another secret, another model, another version."""


class NodeFailed(Exception):
    """A node gave no answer to a question, which may be put to another one. As text: a sentence on why.

    `kind` says what keeps the node from answering others too, None where nothing may. `was_asked`: the
    question had reached it, as far as is known.
    """

    def __init__(self, reason: str, kind: FaultKind | None, *, was_asked: bool) -> None:
        super().__init__(reason)
        self.kind = kind
        self.was_asked = was_asked


class NodeFull(Exception):
    """A node has no place for the question now."""


class ClusterNode:
    """Asks one node, over connections that stay open.

    `window` is how many questions may be in flight to it. `authorization` is the header of that name, None
    where there is no secret.
    """

    def __init__(
        self, url: str, authorization: str | None, window: int, session: aiohttp.ClientSession
    ) -> None:
        self.url = url
        self._headers = {} if authorization is None else {"Authorization": authorization}
        self._session = session
        self._window = self._room = float(window)
        self._paused_until = 0.0
        self._pauses = 0
        self._waits: set[asyncio.Timeout] = set()
        self.in_flight = 0
        """How many questions were given to it and are not answered yet; whoever gives them counts."""
        self.fault: str | None = "It was not asked yet."
        """Why it is not asked, as a sentence; None where it is."""
        self.fault_kind = FaultKind.AWAY
        self.model: ModelInfo | None = None
        """The one that it named when it was looked at last; `model_hash` is its hash."""
        self.model_hash = ""

    @property
    def pause(self) -> float:
        """For how many seconds it is to be left alone, 0 where it may be asked."""
        return max(self._paused_until - asyncio.get_running_loop().time(), 0.0)

    def takes_more(self) -> bool:
        """Return whether it may be asked now."""
        return self.fault is None and not self.pause and self.in_flight < max(int(self._room), 1)

    def slow_down(self) -> None:
        """Leave it alone for a moment, which is longer each time until it answers something."""
        longest = min(FIRST_PAUSE * 2**self._pauses, LONGEST_PAUSE)
        # Bots that were refused together do not come back together.
        self._paused_until = asyncio.get_running_loop().time() + longest * random.uniform(0.5, 1)  # noqa: S311 - no secret
        self._pauses = min(self._pauses + 1, 10)

    def give_up(self) -> None:
        """End every question that is in flight: it will not be answered any more."""
        now = asyncio.get_running_loop().time()
        for wait in self._waits:
            wait.reschedule(now)

    async def ask(self, question: NodeQuestion, picture: bytes) -> NodeAnswer:
        """Return what the node answers within `question.seconds`.

        Raises the InferenceError that it refuses the picture with, NodeFull, and NodeFailed.
        """
        with self._in_flight(question.seconds) as limit:
            try:
                async with limit:
                    status, said = await self._post(frame(question), picture)
            except TimeoutError:
                raise NodeFailed("It did not answer in time.", None, was_asked=True) from None
            except aiohttp.ClientConnectorError as error:
                raise NodeFailed(_unreachable(error), FaultKind.AWAY, was_asked=False) from error
            except (aiohttp.ClientError, OSError) as error:
                raise NodeFailed(_lost(error), FaultKind.AWAY, was_asked=True) from error
        if status == 429:  # noqa: PLR2004 - it has a name nowhere
            self._room = max(self.in_flight - 1.0, 1.0)
            raise NodeFull
        answer = _answer(status, said)
        self._pauses = 0
        self._room = min(self._room + ROOM_BACK, self._window)
        if isinstance(answer, NodeAnswer):
            return answer
        raise answer

    async def state(self, model: str | None, seconds: float) -> NodeState:
        """Return what the node says of itself within so many seconds. Raises NodeFailed, also where the node
        has not the `model` of this name; None stands for any."""
        asked = {} if model is None else {"model": model}
        try:
            async with (
                asyncio.timeout(seconds),
                self._session.get(
                    self.url + STATE_PATH, params=asked, headers=self._headers, allow_redirects=False
                ) as response,
            ):
                status, said = response.status, await _read(response)
        except TimeoutError:
            raise NodeFailed(
                f"It did not answer within {seconds:g} seconds.", FaultKind.AWAY, was_asked=True
            ) from None
        except aiohttp.ClientConnectorError as error:
            raise NodeFailed(_unreachable(error), FaultKind.AWAY, was_asked=False) from error
        except (aiohttp.ClientError, OSError) as error:
            raise NodeFailed(_lost(error), FaultKind.AWAY, was_asked=True) from error
        if status != 200:  # noqa: PLR2004 - likewise
            raise _failure(status, said)
        try:
            return NodeState.model_validate_json(said)
        except ValueError:
            raise unbelievable("its state is none of this version of Whatsit") from None

    async def _post(self, asked: bytes, picture: bytes) -> tuple[int, bytes]:
        length = {"Content-Length": str(len(asked) + len(picture))}
        async with self._session.post(
            self.url + ANSWER_PATH,
            data=_in_pieces(asked, picture),
            headers=self._headers | length,
            allow_redirects=False,
        ) as response:
            return response.status, await _read(response)

    @contextmanager
    def _in_flight(self, seconds: float) -> Iterator[asyncio.Timeout]:
        limit = asyncio.timeout(seconds)
        self._waits.add(limit)
        try:
            yield limit
        finally:
            self._waits.discard(limit)


async def _in_pieces(asked: bytes, picture: bytes) -> AsyncIterator[bytes]:
    """Give what is sent. A large picture is not copied as a whole, nor sent in one go, which stalls."""
    yield asked + picture[:PIECE_BYTES]
    for start in range(PIECE_BYTES, len(picture), PIECE_BYTES):
        yield picture[start : start + PIECE_BYTES]


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of a response. Raises NodeFailed for a longer one than any node sends."""
    said = bytearray()
    async for piece in response.content.iter_any():
        said += piece
        if len(said) > ANSWER_BYTES:
            response.close()
            raise unbelievable(f"it said more than {ANSWER_BYTES:,} bytes")
    return bytes(said)


def _answer(status: int, said: bytes) -> NodeAnswer | InferenceError:
    """Read the response to a question. Raises NodeFailed for what is neither an answer nor a refusal of the
    picture."""
    try:
        if status == 200:  # noqa: PLR2004 - likewise
            return NodeAnswer.model_validate_json(said)
        refusal = NodeRefusal.model_validate_json(said) if status in (REFUSED, 413) else None
    except ValueError:  # whose text quotes what was said
        raise unbelievable("its answer is none of this version of Whatsit") from None
    error = refusal.error() if refusal and refusal.status == REFUSED else None
    if error is not None:
        return error
    raise _failure(status, said)


def _failure(status: int, said: bytes) -> NodeFailed:
    """Return what a status tells that is no answer."""
    try:
        message = NodeRefusal.model_validate_json(said).message
    except ValueError:
        message = ""
    match status:
        case 503:
            return NodeFailed(
                message or "It is not ready (503).", FaultKind.NOT_READY if message else None, was_asked=False
            )
        case 401 | 403:
            reason = "It refuses the secret of cluster.secret_file: bot and nodes must have the same."
            return NodeFailed(reason, FaultKind.OWNERS, was_asked=False)
        case 404 if message:
            return NodeFailed(message, FaultKind.OWNERS, was_asked=False)
        case 400 if message:
            return NodeFailed(message, None, was_asked=True)
        case 400 | 404 | 405:  # with 404 an ingress of Ray answers while no replica is ready
            what = f"no node of Whatsit at this address, or none that is ready (it answered {status})"
            return NodeFailed(f"There is {what}.", FaultKind.NOT_READY, was_asked=False)
        case _:
            return NodeFailed(f"It answered {status}.", None, was_asked=True)


def unbelievable(what: str) -> NodeFailed:
    """Return the failure of a node that said what cannot be true."""
    return NodeFailed(f"It cannot be believed: {what}.", None, was_asked=True)


def _unreachable(error: aiohttp.ClientConnectorError) -> str:
    return f"It cannot be reached: {error.os_error.strerror or error}."


def _lost(error: Exception) -> str:
    return f"The connection to it was lost: {error or type(error).__name__}."
