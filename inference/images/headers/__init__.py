"""Cheap checks on untrusted bytes, before any decoder runs.

There is one small parser for each container. It reads how large the picture is, how many frames and scans it
has, and how much there is to walk through. It takes linear time, needs little memory, and never inflates or
decodes anything. What would cost a decoder too much is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from config.settings import Limits
from inference.images.headers import bmp, gif, isobmff, jpeg, png, tiff, webp
from inference.images.headers.facts import HeaderFacts
from inference.images.headers.file_type import FORMATS, recognise
from inference.results import CorruptImage, ImageTooLarge, NotAnImage, UnsupportedFormat

__all__ = ["ImageHeader", "header"]

_READERS: dict[str, Callable[[bytes], HeaderFacts]] = {
    "JPEG": jpeg.read,
    "PNG": png.read,
    "WEBP": webp.read,
    "GIF": gif.read,
    "BMP": bmp.read,
    "TIFF": tiff.read,
    "AVIF": isobmff.read,
    "HEIF": isobmff.read,
}


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What a picture's header promises.

    `format` is Pillow's name for the container. `size` is (width, height) in pixels as stored, before EXIF
    orientation. `frames` counts the frames of an animation (1 for a still picture; pages of a TIFF are none).
    `large` says that decoding needs so much memory that the worker should do one such picture at a time.
    """

    format: str
    size: tuple[int, int]
    frames: int
    large: bool


def header(data: bytes, *, limits: Limits, input_size: int = 224) -> ImageHeader:
    """Check `data` without decoding a pixel of it.

    `input_size` is the model's (pixels): it tells how far a JPEG will be scaled down while it is decoded.

    Raises `NotAnImage`, `UnsupportedFormat`, `ImageTooLarge` (more bytes or pixels than `limits` allow) or
    `CorruptImage`.
    """
    if len(data) > limits.image_bytes:
        raise ImageTooLarge(f"the image has {len(data):,} bytes; the limit is {limits.image_bytes:,}")
    kind = recognise(data)
    if kind is None:
        raise NotAnImage("the bytes are of no known image format" if data else "there are no bytes")
    if kind not in FORMATS:
        raise UnsupportedFormat(f"this is {kind}, which Whatsit does not read")
    try:
        facts = _READERS[kind](data)
    except (struct.error, IndexError) as error:
        raise CorruptImage(f"the {kind} is cut short or damaged in its header") from error
    width, height = facts.width, facts.height
    if width < 1 or height < 1:
        raise CorruptImage(f"the {kind} says it is {width} x {height} pixels")
    pixels = width * height
    if pixels > limits.image_pixels:
        raise ImageTooLarge(
            f"the image has {pixels:,} pixels ({width} x {height}); the limit is {limits.image_pixels:,}"
        )
    if facts.flaw:
        raise CorruptImage(facts.flaw)
    if kind == "JPEG" and not facts.buffered:
        pixels //= jpeg.scale(width, height, input_size) ** 2
    return ImageHeader(kind, (width, height), facts.frames, pixels > limits.large_pixels)
