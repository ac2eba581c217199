"""The messages between the bot's process and its worker, in frames (`inference.frames`).

The bytes after a batch are its pictures, one after the other, of the sizes that it names. The worker handles
strangers' bytes, so what it says is believed only if it is of these shapes.
"""

from __future__ import annotations

from typing import Annotated, BinaryIO, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    TypeAdapter,
    model_validator,
)

from config import settings
from inference.frames import FramedMessage, read_exactly, read_json
from inference.results import (
    HASH_BYTES,
    CorruptImage,
    Features,
    ImageTooLarge,
    InferenceError,
    ModelInfo,
    NotAnImage,
    OutOfMemory,
    PictureKind,
    UnsupportedFormat,
)

MOST_CROPS = 100
"""Crops of one image: three frames, looked at twice, make nine."""

EXIT_OUT_OF_MEMORY = 86
"""A worker's exit status after an allocation has failed."""

REFUSALS: dict[str, type[InferenceError]] = {
    error.code: error for error in (NotAnImage, UnsupportedFormat, ImageTooLarge, CorruptImage, OutOfMemory)
}
"""The errors that a decoder may raise, by code."""


def _known(code: str) -> str:
    if code not in REFUSALS:
        raise ValueError(f"{code} is no decoder's refusal")
    return code


Probability = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[float, Field(ge=0, le=1e7)]
Pixels = Annotated[int, Field(ge=1, le=1 << 31)]
Text = Annotated[str, Field(max_length=2000)]


Cost = Annotated[float, Field(ge=0, le=3600)]
"""Core-seconds of one image. Nobody is charged more, whatever a worker that was taken over says."""


MOST_FEATURES = 8192
MOST_MAPS = 10
MAP_CELLS = 1 << 17
PIXEL_BYTES = 3 * 512 * 512


class WorkerHello(FramedMessage):
    """The first message to a new worker: what to load and how to work. `load` is "module:function"."""

    load: str
    model: settings.Model
    worker: settings.Worker
    limits: settings.Limits


class LoadProgress(FramedMessage):
    """What a worker that loads its model is doing, and how much of that is done: 0 to 1, None if unknown."""

    kind: Literal["progress"] = "progress"
    stage: str
    fraction: float | None


class WorkerReady(FramedMessage):
    """The model is loaded, and answers."""

    kind: Literal["ready"] = "ready"
    info: ModelInfo


class WorkerUnavailable(FramedMessage):
    """No model could be loaded; `reason` says why, and what can be done."""

    kind: Literal["unavailable"] = "unavailable"
    reason: str


class LookRequest(FramedMessage):
    """One image of a batch, and how many labels (`ranked`) to send back.

    A first look comes with `size` bytes; for a second look the worker has kept the crops. `alone`: it is so
    costly that no other is to wait for it on the same thread. `patient`: it is decoded on a thread of lower
    priority, so that others go first. `explain` has the
    classes whose heat maps are wanted: an index, or the direction of features that speaks for a class, as
    `inference.models.fingerprint.pack` makes it.
    """

    id: int
    ranked: PositiveInt
    size: NonNegativeInt = 0
    second: bool = False
    alone: bool = False
    patient: bool = False
    features: Features = ""
    explain: Annotated[tuple[NonNegativeInt | bytes, ...], Field(max_length=MOST_MAPS)] = ()


class BatchRequest(FramedMessage):
    """Images to look at together. `forget` has the ids whose second look nobody wants any more."""

    looks: tuple[LookRequest, ...]
    forget: tuple[int, ...] = ()


class HeatReply(FramedMessage):
    """The fields are those of `inference.results.Explanation`."""

    size: tuple[Pixels, Pixels]
    pixels: Annotated[bytes, Field(max_length=PIXEL_BYTES)]
    columns: PositiveInt
    rows: PositiveInt
    maps: Annotated[tuple[Annotated[bytes, Field(max_length=MAP_CELLS)], ...], Field(max_length=MOST_MAPS)]
    seen: Annotated[bytes, Field(max_length=MAP_CELLS)]
    method: Literal["activation", "occlusion"]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        width, height = self.size
        cells = self.columns * self.rows
        if len(self.pixels) != 3 * width * height or {len(each) for each in (*self.maps, self.seen)} != {
            cells
        }:
            raise ValueError("a picture or a map is not of the size it says")
        return self


class AnsweredReply(FramedMessage):
    """`labels` are (name, index, probability, everyday name), best first; `coarse` are (everyday name,
    probability, number of its classes); `size` is (width, height); `core_seconds` is the processor time that
    the image took in all its looks; `picture_kind` is told where the metadata tell it. `fingerprint` is there
    where `LookRequest.features` asked for it and the model has features, `perceptual_hash` where that was
    "indexed" and the picture is not of one flat colour, `heat` where `LookRequest.explain` asked for it."""

    kind: Literal["answered"] = "answered"
    id: int
    labels: tuple[tuple[Text, NonNegativeInt, Probability, Text | None], ...]
    coarse: Annotated[tuple[tuple[Text, Probability, PositiveInt], ...], Field(max_length=100)] = ()
    size: tuple[Pixels, Pixels]
    views: Annotated[int, Field(ge=1, le=MOST_CROPS)]
    decode_ms: Milliseconds
    predict_ms: Milliseconds
    core_seconds: Cost
    picture_kind: PictureKind | None = None
    fingerprint: Annotated[bytes, Field(max_length=MOST_FEATURES)] | None = None
    perceptual_hash: Annotated[bytes, Field(min_length=HASH_BYTES, max_length=HASH_BYTES)] | None = None
    heat: HeatReply | None = None


class UnsureReply(FramedMessage):
    """The model is unsure of the image and wants a second look, of so many crops.

    `core_seconds` is what the first look took; the answer to the second counts them in.
    """

    kind: Literal["unsure"] = "unsure"
    id: int
    crops: Annotated[int, Field(ge=1, le=MOST_CROPS)]
    core_seconds: Cost


class RefusedReply(FramedMessage):
    """The decoder refused the image; `code` is that of the error."""

    kind: Literal["refused"] = "refused"
    id: int
    code: Annotated[str, AfterValidator(_known)]
    message: Text
    core_seconds: Cost

    def error(self) -> InferenceError:
        """Make the error again."""
        return REFUSALS[self.code](self.message, core_seconds=self.core_seconds)


WorkerReply = AnsweredReply | UnsureReply | RefusedReply


class LooksBegun(FramedMessage):
    """From now on a thread of the worker is at these images, and at no others.

    `thread` is its number in the operating system, `core_seconds` the processor time it has used so far.
    `elsewhere`: a codec works for it on threads of its own.
    """

    kind: Literal["begun"] = "begun"
    ids: tuple[int, ...]
    thread: PositiveInt
    core_seconds: Annotated[float, Field(ge=0)]
    elsewhere: bool = False


class LooksDone(FramedMessage):
    """What a thread has found out about the images it was at."""

    kind: Literal["done"] = "done"
    replies: tuple[Annotated[WorkerReply, Field(discriminator="kind")], ...]


WorkerGreeting = LoadProgress | WorkerReady | WorkerUnavailable
WorkerNews = LooksBegun | LooksDone

_NEWS: TypeAdapter[WorkerNews] = TypeAdapter(Annotated[WorkerNews, Field(discriminator="kind")])
_GREETING: TypeAdapter[WorkerGreeting] = TypeAdapter(Annotated[WorkerGreeting, Field(discriminator="kind")])


def parse_greeting(data: bytes) -> WorkerGreeting:
    """Read what a worker says while it starts. Raises ValueError for anything else."""
    return _GREETING.validate_json(data)


def parse_news(data: bytes) -> WorkerNews:
    """Read what a worker says while it looks at a batch. Raises ValueError for anything else."""
    return _NEWS.validate_json(data)


def read_hello(stream: BinaryIO) -> WorkerHello:
    """Read the first frame of a blocking stream. Raises EOFError where the stream ends."""
    return WorkerHello.model_validate_json(read_json(stream))


def read_batch(stream: BinaryIO) -> tuple[BatchRequest, list[bytes]]:
    """Read the next batch of a blocking stream, with the bytes of its first looks.

    Raises EOFError where the stream ends.
    """
    batch = BatchRequest.model_validate_json(read_json(stream))
    return batch, [read_exactly(stream, look.size) for look in batch.looks if not look.second]
