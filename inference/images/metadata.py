"""What a file says of its picture besides pixels: which way is up, and how the picture was made.

All of it is a stranger's word, and may be damaged: then it says nothing.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from PIL import Image

from inference.images.headers.facts import EXIF_BYTES
from inference.results import PictureKind

_EXIF = ("exif", "Raw profile type exif")
_XMP = ("xmp", "XML:com.adobe.xmp")
"""Where Pillow keeps them, by format."""

# Tags of EXIF (CIPA DC-008).
_ORIENTATION, _EXIF_IFD, _USER_COMMENT = 274, 0x8769, 0x9286
_EXPOSURE: Final = frozenset({0x829A, 0x829D, 0x9201, 0x9202})
"""Exposure time and aperture, each in both ways: what only a camera writes."""

_SOURCE_TYPE = re.compile(rb"cv\.iptc\.org/newscodes/digitalsourcetype/(\w{1,40})")
_KINDS: Final[dict[bytes, PictureKind]] = {
    b"digitalCapture": "photo",
    b"computationalCapture": "photo",
    b"negativeFilm": "photo",
    b"positiveFilm": "photo",
    b"digitalCreation": "drawing",
    b"digitalArt": "drawing",
    b"screenCapture": "screenshot",
}
"""IPTC's digital source types (cv.iptc.org/newscodes/digitalsourcetype) that tell the kind for sure."""


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) to 8; 1 where none can be read."""
    exif = _exif(image)
    value = exif.get(_ORIENTATION, 1) if exif else 1
    return value if isinstance(value, int) else 1


def picture_kind(image: Image.Image) -> PictureKind | None:
    """Return how the picture was made, if its metadata tell; None otherwise."""
    for name in _XMP:
        xmp = image.info.get(name) or b""
        data = xmp.encode(errors="replace") if isinstance(xmp, str) else bytes(xmp)
        if len(data) <= EXIF_BYTES and (found := _SOURCE_TYPE.search(data)):
            return _KINDS.get(found[1])
    exif = _exif(image)
    if exif is None:
        return None
    try:
        camera = exif.get_ifd(_EXIF_IFD)
        if not _EXPOSURE.isdisjoint(camera):
            return "photo"
        # What iOS writes into a screenshot, behind eight bytes that name the character set.
        comment = camera.get(_USER_COMMENT, b"")
        return "screenshot" if isinstance(comment, bytes) and comment[8:] == b"Screenshot" else None
    except _DAMAGED:
        return None


_DAMAGED = (SyntaxError, ValueError, TypeError, LookupError, OSError, struct.error)
"""What Pillow raises for damaged metadata, which does not spoil a picture."""


def _exif(image: Image.Image) -> Image.Exif | None:
    if any(len(image.info.get(name) or b"") > EXIF_BYTES for name in _EXIF):
        return None
    try:
        return image.getexif()
    except _DAMAGED:
        return None
