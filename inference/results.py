"""What inference answers: a `Classification`, or one typed error. The bot imports this, and the client.

Everything here is plain and frozen, and imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

RANKED = 10
"""Labels of an image that are ranked and remembered: as many as an answer can ever show."""


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
    that the worker spent on the image for this answer: 0 where it was remembered.
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
    sandbox: SandboxState = field(default=SandboxState(), compare=False)
    """What the kernel takes from the process that runs the model."""


@dataclass(frozen=True, slots=True)
class Stats:
    """What a classifier has done since it was made.

    Every image that `classify` was given is in `accepted`, and in the end in exactly one of `answered`,
    `refused` (by error code) and `cancelled`. `turned_away` (by error code) counts images that got no place,
    because the queue was full or no model was there. `known` of the answered ones needed no work, because
    their bytes had been seen before. `restarts` counts replaced workers, `batches` answered batches.
    """

    accepted: int
    answered: int
    refused: Mapping[str, int]
    cancelled: int
    turned_away: Mapping[str, int]
    known: int
    batches: int
    restarts: int


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
