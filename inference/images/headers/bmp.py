"""BMP: the size its header gives, and whether the file is long enough for it."""

from __future__ import annotations

from struct import unpack_from

from inference.images.headers.facts import HeaderFacts
from inference.results import CorruptImage, ImageTooLarge, UnsupportedFormat

_OLD_HEADER = 12
_RAW, _RLE8, _RLE4, _MASKS = 0, 1, 2, 3
_RLE_PIXELS = 2_000_000
"""Pillow decodes run lengths in Python, which takes up to a microsecond a pixel."""
_RLE_SLACK = 65_536
_DEPTHS = frozenset({1, 4, 8, 16, 24, 32})


def read(data: bytes) -> HeaderFacts:
    """Raise `CorruptImage` where the file is shorter than it says, `UnsupportedFormat` for rare encodings."""
    offset, header_size = unpack_from("<II", data, 10)
    if header_size == _OLD_HEADER:
        width, height, _, depth = unpack_from("<HHHH", data, 18)
        compression = _RAW
    else:
        width, height, _, depth, compression = unpack_from("<iiHHI", data, 18)
        height = abs(height)  # below zero: the rows run from top to bottom
    if depth not in _DEPTHS or compression not in (_RAW, _RLE8, _RLE4, _MASKS):
        raise UnsupportedFormat(
            f"this is a BMP of {depth} bits with encoding {compression}, which Whatsit does not read"
        )
    if width < 1:
        raise CorruptImage(f"the BMP says it is {width} pixels wide")
    pixels, length = width * height, len(data) - offset
    flaw = None
    if compression in (_RLE8, _RLE4):
        if pixels > _RLE_PIXELS:
            raise ImageTooLarge(
                f"the image has {pixels:,} pixels ({width} x {height}); "
                f"the limit for a run-length BMP is {_RLE_PIXELS:,}"
            )
        if length > 2 * pixels + _RLE_SLACK:
            flaw = "the BMP has more run lengths than pixels"
    elif (width * depth + 31) // 32 * 4 * height > length:
        flaw = f"the BMP is too short for {width} x {height} pixels"
    coding = "BMP run lengths" if compression in (_RLE8, _RLE4) else "BMP"
    return HeaderFacts(width, height, flaw=flaw, coding=coding)
