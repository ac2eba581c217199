"""Cheap checks on untrusted bytes, before any decoder runs.

There is one small parser for each container. It reads how large the picture is, how many frames and scans it
has, and how much there is to walk through. It takes linear time, needs little memory, and never inflates or
decodes anything. What would cost a decoder too much is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from config.settings import Limits
from inference.images.headers import bmp, gif, isobmff, jpeg, png, tiff, webp
from inference.images.headers.cost import budget_ms, core_ms
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


_LONGEST_SIDE = 65_535
"""Pixels. JPEG and GIF know no longer side; a PNG of one column of 50 million took 3 s and 1 GB."""
_FRAME_PIXELS = 10_000
"""A frame of an animation costs at least as much as this many pixels, however small it is."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What a picture's header promises.

    `format` is Pillow's name for the container. `size` is (width, height) in pixels as stored, before EXIF
    orientation. `frames` counts the frames of an animation (1 for a still picture; pages of a TIFF are none).
    `large` says that decoding needs so much memory that the worker should do one such picture at a time;
    `held` is how much, in pixels of a plain picture.

    `decoded` counts the pixels that a decoder goes through for one frame, with all scans and tiles;
    `decoded_frames` is 1 where the frames are too many to go through. `coding` is how the pixels are coded,
    as `inference.images.headers.cost` names it, and `core_ms` what decoding is expected to take of one core,
    in milliseconds.
    """

    format: str
    size: tuple[int, int]
    frames: int
    large: bool
    decoded: int = field(default=0, compare=False)
    decoded_frames: int = field(default=1, compare=False)
    coding: str = field(default="", compare=False)
    core_ms: float = field(default=0.0, compare=False)
    held: int = field(default=0, compare=False)


def header(data: bytes, *, limits: Limits, input_size: int = 224) -> ImageHeader:
    """Check `data` without decoding a pixel of it.

    `input_size` is the model's (pixels): it tells how far a JPEG will be scaled down while it is decoded.

    Raises `NotAnImage`, `UnsupportedFormat`, `ImageTooLarge` (more bytes or pixels than `limits` allow, too
    long a side, or too much work for its decoder) or `CorruptImage`.
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
    pixels = _allowed_pixels(kind, width, height, limits)
    if facts.flaw:
        raise CorruptImage(facts.flaw)
    facts = facts._replace(
        decoded=facts.decoded or pixels,
        coded_bytes=max(facts.coded_bytes, len(data)),
        coding=facts.coding or kind,
    )
    if kind == "JPEG" and not facts.buffered:
        scale = jpeg.scale(width, height, input_size)
        pixels //= scale**2
        facts = facts._replace(coding="JPEG scaled" if scale > 1 else "JPEG")
    frames, expected = _affordable(facts, limits)
    held = max(pixels, facts.kept)
    return ImageHeader(
        kind,
        (width, height),
        facts.frames,
        held > limits.large_pixels,
        decoded=facts.decoded,
        decoded_frames=frames,
        coding=facts.coding,
        core_ms=expected,
        held=held,
    )


def _allowed_pixels(kind: str, width: int, height: int, limits: Limits) -> int:
    """Return how many pixels there are, if there are some and not too many."""
    if width < 1 or height < 1:
        raise CorruptImage(f"the {kind} says it is {width} x {height} pixels")
    pixels = width * height
    if pixels > limits.image_pixels:
        raise ImageTooLarge(
            f"the image has {pixels:,} pixels ({width} x {height}); the limit is {limits.image_pixels:,}"
        )
    if max(width, height) > _LONGEST_SIDE:
        raise ImageTooLarge(
            f"the image is {width} x {height} pixels; the limit for a side is {_LONGEST_SIDE:,}"
        )
    return pixels


def _affordable(facts: HeaderFacts, limits: Limits) -> tuple[int, float]:
    """Return how many frames can be gone through, all or one, and the milliseconds that this may take.

    Raises `ImageTooLarge` where one is too much.
    """
    budget = budget_ms(limits)
    pixels = max(facts.decoded, _FRAME_PIXELS)
    for frames in (facts.frames, 1):
        expected = core_ms(facts.coding, frames * pixels, facts.coded_bytes) + frames * facts.overhead_ms
        if expected <= budget and (frames == 1 or frames * pixels <= limits.animation_pixels):
            return frames, expected
    raise ImageTooLarge(
        f"decoding the image ({facts.coding}, {pixels:,} pixels with all scans and tiles, and "
        f"{facts.coded_bytes:,} bytes) would take {expected:,.0f} ms of a core; the limit is {budget:,.0f}"
    )
