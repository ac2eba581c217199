"""What inference answers: a `Classification`, or one typed error. The bot imports this, and the client.

Everything here is plain and frozen, and imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

PictureKind = Literal["photo", "drawing", "screenshot"]
"""How a picture was made, where that is known: None stands for a picture of which it is not."""

RANKED = 10
"""Labels of an image that are ranked and remembered: as many as an answer can ever show."""


FINGERPRINT_VERSION = 1
"""Raise it with every change that gives the same features another fingerprint."""
SCALE_BYTES = 4
"""A fingerprint's scale, a float32, stands before its numbers, a byte each."""
HASH_BYTES = 8
"""Of a perceptual hash."""

Features = Literal["", "query", "indexed", "example"]
"""What is wanted of a picture beside its labels: nothing; the fingerprint of the first look, to ask by; that
and a perceptual hash, to find the picture again; or the fingerprint of all crops and a mirrored one, which
makes an example that teaches more."""


@dataclass(frozen=True, slots=True)
class Label:
    """A class name and its probability.

    `index` is the class's place in the model's output, so 0 is `background` where a model has 1001 classes.
    `coarse` is its everyday name ("cat" for "Egyptian cat"), None where its own is one or none is known.
    """

    name: str
    index: int
    probability: float
    coarse: str | None = None


@dataclass(frozen=True, slots=True)
class Coarse:
    """An everyday name, the sum of the probabilities of all classes that have it, and how many these are."""

    name: str
    probability: float
    classes: int = 1


@dataclass(frozen=True, slots=True)
class Classification:
    """The ranked labels of one image, best first, and what it took to get them.

    `size` is (width, height) in pixels as a person sees the picture, after EXIF orientation. `views` is how
    many crops were averaged. Times are milliseconds that the worker spent on this image. `coarse` has the
    everyday names of greatest probability, best first, at most three. `core_seconds` is the processor time
    that the worker spent on the image for this answer: 0 where it was remembered. `picture_kind` is what the
    picture's metadata tell.
    """

    labels: tuple[Label, ...]
    model: str
    engine: str
    size: tuple[int, int]
    views: int
    decode_ms: float
    predict_ms: float
    coarse: tuple[Coarse, ...] = ()
    core_seconds: float = 0.0
    picture_kind: PictureKind | None = None
    fingerprint: bytes | None = field(default=None, repr=False)
    """What `inference.models.fingerprint.pack` makes of the features, where they were asked for and the
    model has some."""
    fingerprint_kind: str | None = field(default=None, repr=False)
    """`ModelInfo.fingerprints` of the model that gave `fingerprint`; None without one. In a cluster another
    model may answer a moment later."""
    perceptual_hash: bytes | None = field(default=None, repr=False)
    """`HASH_BYTES` that change little when the picture is saved again, where "indexed" features were asked
    for; None also for a picture of one flat colour."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where in a picture the model saw what it names.

    `size` is (width, height) of `pixels`, a small copy of the picture, RGB, one byte a channel, row by row.
    `maps` has one map for each class that was asked for, `columns` x `rows` bytes row by row, which covers
    the whole picture: 0 is "adds nothing", 255 the most of its own map. `seen`, of the same shape, is 1 where
    the model looked at all. `method` is "activation" where the maps are what the model itself summed up, and
    "occlusion" where it is of another kind, and parts of the picture were covered instead.
    """

    size: tuple[int, int]
    pixels: bytes = field(repr=False)
    columns: int
    rows: int
    maps: tuple[bytes, ...] = field(repr=False)
    seen: bytes = field(repr=False)
    method: str


@dataclass(frozen=True, slots=True)
class SandboxState:
    """What holds the worker: the version (ABI) of Landlock, 0 without it, and whether its calls are filtered.

    As text it is one sentence for the owner.
    """

    landlock: int = 0
    seccomp: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether everything is in force that Whatsit can use."""
        return bool(self.landlock) and self.seccomp

    def __str__(self) -> str:
        there = [f"Landlock (ABI {self.landlock})"] * bool(self.landlock) + [
            "a seccomp filter"
        ] * self.seccomp
        missing = ["Landlock"] * (not self.landlock) + ["seccomp filter"] * (not self.seccomp)
        lacking = f"this system offers no {' and no '.join(missing)}" if missing else ""
        if not there:
            return f"No sandbox holds the worker: {lacking}."
        return f"The worker is held by {' and '.join(there)}{'; ' * bool(lacking)}{lacking}."


ModelCaveat = Literal["hub_out_of_reach", "hub_model_unusable", "slower_engine", "no_bfloat16"]
"""Why a model, or what runs it, is not the one that was asked for."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The model that answers.

    `name` is what a person is shown, `engine` is "openvino" or "tensorflow", `input_size` the height and
    width of the model's input in pixels, `classes` the number of labels. `note` is one sentence where
    something is not as asked for (the Hub could not be reached, the fast engine disagreed), else None;
    `caveats` say the same without the details that are the owner's business.
    `content_hash` is the SHA-256 of the SavedModel and `preprocessing` the version of the code between bytes
    and model: with the picture's bytes, they decide an answer.
    """

    name: str
    engine: str
    input_size: int
    classes: int
    note: str | None
    content_hash: str
    preprocessing: int
    labels: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """Each class's label."""
    coarse: tuple[str | None, ...] = field(default=(), repr=False, compare=False)
    """Each class's everyday name."""
    caveats: tuple[ModelCaveat, ...] = field(default=(), compare=False)
    features: int = 0
    """How many numbers the layer under the last one gives; 0 for a model without such a layer."""
    precision: str = "f32"
    """The number format of the engine's sums: "f32", "bf16" or "int8"."""
    sandbox: SandboxState = field(default=SandboxState(), compare=False)
    """What the kernel takes from the process that runs the model."""

    @property
    def fingerprints(self) -> str | None:
        """What fingerprints have to have in common to be compared; None where the model gives none."""
        if not self.features:
            return None
        return f"{self.content_hash[:16]}-{self.precision}-{self.preprocessing}.{FINGERPRINT_VERSION}"


@dataclass(frozen=True, slots=True)
class Stats:
    """What a classifier has done since it was made.

    Every image that `classify` was given is in `accepted`, and in the end in exactly one of `answered`,
    `refused` (by error code) and `cancelled`. `turned_away` (by error code) counts images that got no place,
    because the queue was full or no model was there. `known` of the answered ones needed no work, because
    their bytes had been seen before. `restarts` counts replaced workers, `batches` answered batches,
    `batch_sizes` how often so many images were handed over together, and `condemned` images that are refused
    because of what they did.
    """

    accepted: int
    answered: int
    refused: Mapping[str, int]
    cancelled: int
    turned_away: Mapping[str, int]
    known: int
    batches: int
    restarts: int
    batch_sizes: Mapping[int, int] = field(default_factory=dict)
    condemned: int = 0


@dataclass(frozen=True, slots=True)
class ServingLoad:
    """What a classifier holds at the moment.

    `images` wait or are in work, and have `bytes` together, downloads included; classifiers that share a
    queue each tell all of it. `breaker_open`: the worker keeps dying, and new images are refused or on trial.
    `worker_bytes` is the memory of the worker, 0 where there is none.
    """

    images: int
    bytes: int
    breaker_open: bool
    worker_bytes: int


class InferenceError(Exception):
    """A failure that a person can be told of; `code` is its stable, machine-readable name.

    `core_seconds` is the processor time that the worker spent on the image before it failed.
    """

    code: ClassVar[str] = "inference_error"

    def __init__(self, message: str, *, core_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.core_seconds = core_seconds


class NotAnImage(InferenceError):
    """The bytes are of no image format at all."""

    code = "not_an_image"


class UnsupportedFormat(InferenceError):
    """The bytes are a picture of a kind that Whatsit does not read (SVG, PDF, JPEG XL, a raw photo, ...)."""

    code = "unsupported_format"


class ImageTooLarge(InferenceError):
    """More bytes or more pixels than the limits allow, known before any pixel was decoded."""

    code = "image_too_large"


class CorruptImage(InferenceError):
    """The image is cut short, damaged, or built to hurt its decoder."""

    code = "corrupt_image"


class HarmfulImage(InferenceError):
    """The image killed, hung or bloated the worker, and is refused by its hash from then on."""

    code = "harmful_image"


class OutOfMemory(InferenceError):
    """The worker could get no memory for the image, although it was tried alone in a fresh one."""

    code = "out_of_memory"


class Busy(InferenceError):
    """The queue is full; try again in a moment."""

    code = "busy"


class TimedOut(InferenceError):
    """The image waited or worked longer than its deadline."""

    code = "timed_out"


class ModelUnavailable(InferenceError):
    """No model can answer now: it cannot be loaded, or its worker keeps dying.

    The message says what can be done.
    """

    code = "model_unavailable"
