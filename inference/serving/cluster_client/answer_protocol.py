"""What the bot and the nodes of a cluster say to each other, over plain HTTP.

Each message has a `version`, to be raised with every change that an older node or bot would not understand.

The bot sends `POST ANSWER_PATH`. The body is a frame as in `inference.frames`, a `NodeQuestion` as JSON after
its length, and then the bytes of the picture. The header `Authorization: Bearer SECRET` goes with it. The
answer is JSON, and its status says what it is:

    200   `NodeAnswer`
    422   `NodeRefusal`: the picture is refused, and no other node would say anything else of it
    429   `NodeRefusal`: the node is full; its turn comes later
    503   `NodeRefusal`: the node cannot answer now: it loads its model, stops, or its worker keeps dying
    401   `NodeRefusal`: the secret is missing or wrong
    404   `NodeRefusal`: the node has another model than the one that was asked for
    400   `NodeRefusal`: the question cannot be understood

Any other status comes from something between the two, or from a fault: the question may be put to another
node. `GET STATE_PATH`, with the secret, answers a `NodeState`, or 404 where `?model=NAME` names another model
than it has; `GET HEALTH_PATH`, without, 200 or 503.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveInt, StringConstraints

from inference.frames import LENGTH_BYTES, FramedMessage
from inference.results import (
    Busy,
    Features,
    HarmfulImage,
    ImageTooLarge,
    InferenceError,
    ModelInfo,
    ModelUnavailable,
    TimedOut,
)
from inference.serving.protocol import (
    MOST_FEATURES,
    MOST_MAPS,
    REFUSALS,
    AnsweredReply,
    Cost,
    Text,
)

ANSWER_PATH = "/v1/answer"
STATE_PATH = "/v1/state"
HEALTH_PATH = "/healthz"
MODELS_PATH = "/v1/models/"
"""Below it `PUT` takes prepared models (`inference.cluster.model_receiver`)."""

QUESTION_BYTES = 64 * 1024
"""A question is numbers and, for heat maps, ten packed directions of features."""
ANSWER_BYTES = 8 * 1024 * 1024
"""Ten heat maps take 3 MB as JSON, and the labels of a model with 20,000 classes 1 MB."""
MOST_RANKED = 10_000
MOST_KNOWN = 8
MOST_CLASSES = 100_000

OTHER_MODEL = "other_model"
BAD_QUESTION = "bad_question"
WRONG_SECRET = "wrong_secret"  # noqa: S105 - it is no secret, but what is said of one

TYPED_ERRORS: dict[str, type[InferenceError]] = {
    **REFUSALS,
    **{error.code: error for error in (HarmfulImage, TimedOut, Busy, ModelUnavailable)},
}
"""The errors of `inference.results` that a node may answer, by code."""

STATUS = {Busy.code: 429, ModelUnavailable.code: 503, BAD_QUESTION: 400, WRONG_SECRET: 401, OTHER_MODEL: 404}
"""The HTTP status that goes with a refusal's code; every other one has `REFUSED`."""
REFUSED = 422

ModelHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _is_whole(info: ModelInfo | None) -> ModelInfo | None:
    if info is not None and not info.classes == len(info.labels) == len(info.coarse) <= MOST_CLASSES:
        raise ValueError("a model has a label and an everyday name, or none, for each of its classes")
    return info


def _can_be_answered(code: str) -> str:
    if code not in TYPED_ERRORS and code not in STATUS:
        raise ValueError("there is no such refusal")
    return code


WholeModel = Annotated[ModelInfo, AfterValidator(_is_whole)]


class NodeQuestion(FramedMessage):
    """What is asked of the picture that follows: the fields of `inference.serving.protocol.LookRequest`.

    `seconds` is how long the answer is waited for. `group` is whose fair share the work is counted to, under
    a name that means nothing to the node. `model` is the name of the model that has to answer, None for
    whichever the node has. `known` are hashes of models that need not be described in the answer.
    """

    version: Literal[1] = 1
    ranked: Annotated[int, Field(ge=1, le=MOST_RANKED)]
    seconds: Annotated[float, Field(gt=0, le=3600)]
    features: Features = ""
    explain: Annotated[
        tuple[NonNegativeInt | Annotated[bytes, Field(max_length=MOST_FEATURES)], ...],
        Field(max_length=MOST_MAPS),
    ] = ()
    group: Annotated[str, Field(max_length=64)] = ""
    model: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    known: Annotated[tuple[ModelHash, ...], Field(max_length=MOST_KNOWN)] = ()


class NodeAnswer(FramedMessage):
    """What a node found, and by which model: its hash as `model_hash` makes it, and `model` itself where the
    question did not name that hash among those that are known."""

    version: Literal[1] = 1
    model_hash: ModelHash
    model: WholeModel | None = None
    reply: AnsweredReply


class NodeRefusal(FramedMessage):
    """Why there is no answer. `core_seconds` is what the picture took nevertheless."""

    code: Annotated[str, Field(max_length=100), AfterValidator(_can_be_answered)]
    message: Text
    core_seconds: Cost = 0.0

    @property
    def status(self) -> int:
        """The HTTP status that this is answered with."""
        return STATUS.get(self.code, REFUSED)

    @classmethod
    def of(cls, error: InferenceError) -> NodeRefusal:
        """Return what tells the bot of an error."""
        return cls(code=error.code, message=str(error)[:2000], core_seconds=min(error.core_seconds, 3600.0))

    def error(self) -> InferenceError | None:
        """Make the error again; None where the refusal is about the question and not the picture."""
        kind = TYPED_ERRORS.get(self.code)
        return kind(self.message, core_seconds=self.core_seconds) if kind else None


class NodeState(FramedMessage):
    """What a node says of itself.

    `model` is None until it is loaded. `fault` says why the node cannot answer now, None where it can.
    `images` wait or are in work there, and `places` is how many there may be. `image_bytes` is how many bytes
    one may have. `restarts` counts its replaced workers, `condemned` pictures that it refuses by their hash.
    """

    version: Literal[1] = 1
    model: WholeModel | None
    fault: Text | None
    images: NonNegativeInt
    places: PositiveInt
    image_bytes: PositiveInt
    breaker_open: bool
    restarts: NonNegativeInt
    condemned: NonNegativeInt


def model_hash(info: ModelInfo) -> str:
    """Return the hash of all of a model that its answers depend on, as 64 hexadecimal digits."""
    decides = (
        info.name,
        info.engine,
        info.precision,
        info.input_size,
        info.classes,
        info.content_hash,
        info.preprocessing,
        info.features,
        info.labels,
        info.coarse,
    )
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()


def unpack_question(body: bytes) -> tuple[NodeQuestion, bytes]:
    """Return the question in the body of a request, and the picture. Raises ValueError for anything else."""
    size = int.from_bytes(body[:LENGTH_BYTES], "big")
    if size > QUESTION_BYTES or len(body) < LENGTH_BYTES + size:
        raise ValueError(f"the body does not begin with a question of at most {QUESTION_BYTES} bytes")
    question = NodeQuestion.model_validate_json(body[LENGTH_BYTES : LENGTH_BYTES + size])
    return question, body[LENGTH_BYTES + size :]


def too_large(size: int, most: int) -> ImageTooLarge:
    """Return the error for a picture of more bytes than a node takes."""
    return ImageTooLarge(f"It has {size:,} bytes; the node takes {most:,} (limits.image_bytes there).")
