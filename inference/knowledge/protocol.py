"""The messages between the bot's process and the one that knows what servers taught (`inference.frames`).

Fingerprints follow a request as raw bytes, one after the other, each of `size` bytes, in the form that
`inference.models.fingerprint.pack` makes. `kind` is `ModelInfo.fingerprints`, `version` counts the changes of
what a server taught, and `id` tells to which request a reply belongs.
"""

from __future__ import annotations

from typing import Annotated, BinaryIO, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, TypeAdapter

from inference.frames import FramedMessage, read_exactly, read_json
from inference.knowledge.index_protocol import (
    FINGERPRINT_BYTES,
    AddImagesRequest,
    FillIndexRequest,
    FindRequest,
    FingerprintSize,
    ForgetIndexRequest,
    IndexReply,
    IndexRequest,
    Kind,
    RankRequest,
    RemoveMessagesRequest,
)

MOST_EXAMPLES = 100_000
REPLY_BYTES = 16 * 1024 * 1024
"""The longest reply is a report on some 20,000 examples."""

Cosine = Annotated[float, Field(ge=-1.01, le=1.01)]
Examples = Annotated[tuple[int, ...], Field(max_length=MOST_EXAMPLES)]
Labels = Annotated[tuple[int | None, ...], Field(max_length=MOST_EXAMPLES)]


class KnowledgeHello(FramedMessage):
    """The first message to a new process: bytes that it may keep of all servers, and its niceness."""

    memory: PositiveInt
    nice: Annotated[int, Field(ge=0, le=19)]


class BackgroundRequest(FramedMessage):
    """Take `count` fingerprints as the background of a kind."""

    task: Literal["background"] = "background"
    id: int = 0
    kind: Kind
    count: PositiveInt
    size: FingerprintSize


class FitRequest(FramedMessage):
    """Fit a server's labels. One label and one fingerprint belong to each of `examples`, which are ids."""

    task: Literal["fit"] = "fit"
    id: int = 0
    server: int
    kind: Kind
    version: int
    examples: Examples
    labels: Labels
    size: FingerprintSize


class NameRequest(FramedMessage):
    """Name one fingerprint by a server's labels."""

    task: Literal["name"] = "name"
    id: int = 0
    server: int
    kind: Kind
    version: int
    size: FingerprintSize


class DirectionRequest(FramedMessage):
    """Return what speaks for `label` in the picture of one fingerprint."""

    task: Literal["direction"] = "direction"
    id: int = 0
    server: int
    kind: Kind
    version: int
    label: int
    size: FingerprintSize


class ReportRequest(FramedMessage):
    """Test a server's labels on their own examples. The fields are those of `FitRequest`."""

    task: Literal["report"] = "report"
    id: int = 0
    kind: Kind
    examples: Examples
    labels: Labels
    size: FingerprintSize


class ForgetRequest(FramedMessage):
    """Forget what a server taught before this version."""

    task: Literal["forget"] = "forget"
    id: int = 0
    server: int
    version: int


KnowledgeRequest = (
    BackgroundRequest
    | FitRequest
    | NameRequest
    | DirectionRequest
    | ReportRequest
    | ForgetRequest
    | IndexRequest
)


class DoneReply(FramedMessage):
    """What was asked for is done."""

    task: Literal["done"] = "done"
    id: int


class MissingReply(FramedMessage):
    """Before this can be answered, a background, the server's examples or its pictures have to be sent."""

    task: Literal["missing"] = "missing"
    id: int
    what: Literal["background", "labels", "index"]


class NamedReply(FramedMessage):
    """The fields are those of `inference.knowledge.results.TaughtAnswer`."""

    task: Literal["named"] = "named"
    id: int
    label: int
    score: Cosine
    needed: Cosine
    accepted: bool
    few: bool


class DirectionReply(FramedMessage):
    """A direction of features, packed."""

    task: Literal["direction"] = "direction"
    id: int
    direction: Annotated[bytes, Field(max_length=FINGERPRINT_BYTES)]


class ReportReply(FramedMessage):
    """The fields are those of `inference.knowledge.results.TeachingReport`."""

    task: Literal["report"] = "report"
    id: int
    labels: tuple[int, ...]
    counts: tuple[NonNegativeInt, ...]
    confusion: tuple[tuple[NonNegativeInt, ...], ...]
    refused: tuple[NonNegativeInt, ...]
    nones: NonNegativeInt
    suspects: tuple[tuple[int, int, int], ...]


class FailedReply(FramedMessage):
    """It could not be done; `reason` is a sentence for the log."""

    task: Literal["failed"] = "failed"
    id: int
    reason: Annotated[str, Field(max_length=2000)]


KnowledgeReply = (
    DoneReply | MissingReply | NamedReply | DirectionReply | ReportReply | IndexReply | FailedReply
)

_REQUEST: TypeAdapter[KnowledgeRequest] = TypeAdapter(
    Annotated[KnowledgeRequest, Field(discriminator="task")]
)
_REPLY: TypeAdapter[KnowledgeReply] = TypeAdapter(Annotated[KnowledgeReply, Field(discriminator="task")])


def fingerprint_bytes(request: KnowledgeRequest) -> int:
    """Return how many bytes follow a request."""
    match request:
        case BackgroundRequest(count=count, size=size):
            return count * size
        case FitRequest(examples=examples, size=size) | ReportRequest(examples=examples, size=size):
            return len(examples) * size
        case NameRequest(size=size) | DirectionRequest(size=size):
            return size
        case FillIndexRequest(images=images) | AddImagesRequest(images=images):
            return images.bytes
        case FindRequest() | RankRequest():
            return request.bytes
        case ForgetRequest() | ForgetIndexRequest() | RemoveMessagesRequest():
            return 0


def read_hello(stream: BinaryIO) -> KnowledgeHello:
    """Read the first frame of a blocking stream. Raises EOFError where the stream ends."""
    return KnowledgeHello.model_validate_json(read_json(stream))


def read_request(stream: BinaryIO) -> tuple[KnowledgeRequest, bytes]:
    """Read the next request of a blocking stream, and its fingerprints. Raises EOFError where it ends."""
    request = _REQUEST.validate_json(read_json(stream))
    return request, read_exactly(stream, fingerprint_bytes(request))


def read_reply(stream: BinaryIO) -> KnowledgeReply:
    """Read the next reply of a blocking stream.

    Raises EOFError where the stream ends, and ValueError for anything that is no reply.
    """
    return _REPLY.validate_json(read_json(stream, most=REPLY_BYTES))
