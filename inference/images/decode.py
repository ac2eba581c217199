"""Untrusted bytes to the crops a model sees, or one of five typed errors.

The cheap checks of `inference.images.headers` come first; then one decode serves every view. May be called
from several threads at once: what is set for the whole process is set when this module is imported.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from config.settings import Limits
from inference.images.allocation import AllocationWatch
from inference.images.colour import flatten
from inference.images.headers import ImageHeader, header
from inference.images.headers.jpeg import scale
from inference.images.metadata import orientation, picture_kind
from inference.images.second_look import ends
from inference.images.views import DecodedFrame, Views, first_look
from inference.results import (
    CorruptImage,
    ImageTooLarge,
    InferenceError,
    OutOfMemory,
    PictureKind,
    UnsupportedFormat,
)

PREPROCESSING_VERSION = 3
"""Belongs to the key of a remembered verdict: raise it when the same bytes would give other crops."""

_PLUGINS = (  # imported, because the worker's sandbox forbids to look for them later
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
Image.preinit()  # which `Image.open` would call, and which imports one more
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
# Each picture gets one core, so that its cost can be told: several are decoded side by side anyway.
pillow_heif.options.DECODE_THREADS = 1
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

# Odd metadata is no reason to refuse a picture, and nobody wants to read of it in the log.
warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif\.")

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what puts the picture upright (CIPA DC-008, tag 274)."""
_SIDEWAYS = frozenset({5, 6, 7, 8})


class DecodedImage:
    """What a model gets to see of one image.

    `size`: (width, height) in pixels as a person sees the picture, after EXIF orientation.
    `kind`: how it was made, as far as its metadata tell.
    `first`: the crops of the first look, uint8 [n, s, s, 3], RGB, 0..255; n is the number of frames looked at
    (1 to 3).
    `ends`: pictures and boxes in them, for the second look.
    `whole`: the first frame, little larger than the views need.
    """

    def __init__(
        self,
        size: tuple[int, int],
        pictures: list[DecodedFrame],
        views: Views,
        input_size: int,
        kind: PictureKind | None = None,
    ) -> None:
        self.size = size
        self.kind = kind
        self.whole = pictures[0]
        self.first = np.stack([first_look(picture, views, input_size) for picture in pictures])
        self._input_size = input_size
        # Only the squares are kept, because a banner may be a hundred times as long as high.
        looked_at_twice = pictures if views == "auto" else []
        self.ends = [
            picture.cut(box) for picture in looked_at_twice for box in ends(picture.width, picture.height)
        ]

    def second(self) -> NDArray[np.uint8]:
        """Make the crops of the second look, uint8 [m, s, s, 3]; m is 0 where `views` asks for one look."""
        size = self._input_size
        crops = [picture.view(box, size) for picture, box in self.ends]
        return np.stack(crops) if crops else np.empty((0, size, size, 3), dtype=np.uint8)


def decode(
    data: bytes, *, input_size: int, views: Views, limits: Limits, found: ImageHeader | None = None
) -> DecodedImage:
    """Decode `data` once, for every view; `input_size` is the model's, in pixels.

    `found` is what `header` returned for the same data and limits, if it was called already. Raises
    `NotAnImage`, `UnsupportedFormat`, `ImageTooLarge`, `CorruptImage` or
    `OutOfMemory`, and nothing else.
    """
    found = found or header(data, limits=limits, input_size=input_size)
    with _typed_errors(found.format):
        size, kind, pictures = _pictures(data, found, input_size, limits)
        return DecodedImage(size, pictures, views, input_size, kind)


def _pictures(
    data: bytes, found: ImageHeader, input_size: int, limits: Limits
) -> tuple[tuple[int, int], PictureKind | None, list[DecodedFrame]]:
    """Return the size a person sees, the kind, and the frames to look at, little larger than views need."""
    if Image.MAX_IMAGE_PIXELS is not None:  # Pillow's own limit stays, but is never below ours
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, limits.image_pixels)
    with Image.open(BytesIO(data), formats=[found.format]) as image:
        width, height = image.size
        if width * height > found.size[0] * found.size[1]:
            raise CorruptImage(
                f"the {found.format} is {width} x {height} pixels, and its header says otherwise"
            )
        factor = scale(width, height, input_size) if found.format == "JPEG" else 1
        if factor > 1:
            image.draft(None, (width // factor, height // factor))
        pictures: list[DecodedFrame] = []
        for frame in _frames(found, default_image=getattr(image, "default_image", False)):
            if frame:
                image.seek(frame)
            image.load()
            if not pictures:
                way_up, kind = orientation(image), picture_kind(image)
            if factor == 1:
                width, height = image.size  # a HEIC or a GIF may turn out to have another size than it said
            turn, profile = _TURNS.get(way_up), image.info.get("icc_profile")
            flat = DecodedFrame(flatten(image), width / factor, height / factor, turn, profile)
            pictures.append(flat.shrink(input_size))
    size = (height, width) if way_up in _SIDEWAYS else (width, height)
    return size, kind, pictures


def _frames(found: ImageHeader, *, default_image: bool) -> list[int]:
    """Return the first, middle and last frame, or the first alone where all have too many pixels.

    `default_image`: picture number 0 of this APNG is no part of the animation.
    """
    if found.decoded_frames < found.frames:
        return [0]
    return sorted({frame + default_image for frame in (0, found.frames // 2, found.frames - 1)})


@contextmanager
def _typed_errors(kind: str) -> Iterator[None]:
    """Turn whatever a decoder raises into an error that a person can be told of."""
    allocations = AllocationWatch()
    try:
        yield
    except InferenceError:
        raise
    except Exception as error:
        if isinstance(error, MemoryError) or allocations.failed():
            raise OutOfMemory(f"there was no memory left to decode the {kind}") from error
        raise _typed(kind, error) from error


def _typed(kind: str, error: Exception) -> InferenceError:
    """Return what a decoder's own error means for a person."""
    if isinstance(error, Image.DecompressionBombError):
        return ImageTooLarge(f"the {kind} has too many pixels: {error}")
    if isinstance(error, UnidentifiedImageError):
        if kind in ("TIFF", "BMP"):  # their headers were fine; it is the layout of the pixels
            return UnsupportedFormat(f"this is a {kind} of a layout that Whatsit does not read")
        return CorruptImage(f"the {kind} is damaged in its header")
    # Not a list of types: Pillow and its codecs raise OSError, SyntaxError, ValueError, struct.error,
    # KeyError, OverflowError and more, and the next version may raise others. tests/fuzz checks that none is
    # our own bug.
    return CorruptImage(f"the {kind} is cut short or damaged")
