"""What the inference module answers: a `Classification`, or one typed error.

Everything here crosses a process boundary, so it is plain, frozen and picklable, and imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "Busy",
    "Classification",
    "CorruptImage",
    "HarmfulImage",
    "ImageTooLarge",
    "InferenceError",
    "Label",
    "ModelUnavailable",
    "NotAnImage",
    "TimedOut",
    "UnsupportedFormat",
]


@dataclass(frozen=True, slots=True)
class Label:
    """A class name and its probability.

    `index` is the class's place in the model's own output, so 0 is `background` where a model has 1001 classes.
    """

    name: str
    index: int
    probability: float


@dataclass(frozen=True, slots=True)
class Classification:
    """The ranked labels of one image, best first, and how they came about.

    `size` is (width, height) in pixels as a person sees the picture, after EXIF orientation. `views` is how many
    crops were averaged. Times are milliseconds spent in the worker on this image's behalf.
    """

    labels: tuple[Label, ...]
    model: str
    engine: str
    size: tuple[int, int]
    views: int
    decode_ms: float
    predict_ms: float


class InferenceError(Exception):
    """A failure with a cause a person can be told; `code` is its stable, machine-readable name."""

    code: ClassVar[str] = "inference_error"


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
    """It begins like an image, and then is cut short, damaged, or built to hurt its decoder."""

    code = "corrupt_image"


class HarmfulImage(InferenceError):
    """This very image killed or hung the worker before, and is refused by its hash."""

    code = "harmful_image"


class Busy(InferenceError):
    """The queue is full; try again in a moment."""

    code = "busy"


class TimedOut(InferenceError):
    """The image waited or worked longer than its deadline."""

    code = "timed_out"


class ModelUnavailable(InferenceError):
    """No model can answer now: it cannot be loaded, or its worker keeps dying. The message says the way out."""

    code = "model_unavailable"
