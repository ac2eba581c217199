"""TIFF: the first directory alone (TIFF 6.0 and BigTIFF). Further pages are not looked at."""

from __future__ import annotations

from struct import calcsize, unpack_from

from inference.images.headers.facts import HeaderFacts
from inference.results import CorruptImage, ImageTooLarge, UnsupportedFormat

_SUBFILE, _WIDTH, _HEIGHT, _COMPRESSION, _MAKE = 254, 256, 257, 259, 271
_TILE_WIDTH, _TILE_HEIGHT, _SUB_DIRECTORIES = 322, 323, 330
_EXIF, _GPS, _INTEROP, _DNG_VERSION = 34665, 34853, 40965, 50706

_ENTRIES = 4_096
"""Entries of one directory. Pillow reads them one by one; a photograph has under a hundred."""
_VALUES = 200_000
"""Numbers in one entry; Pillow makes an object of each. The longest are colour maps and lists of strips."""
_FRACTIONS = 1_000
_TILE_PIXELS = 50_000_000
_THUMBNAIL = 1
_BYTES = frozenset({1, 2, 6, 7})
_RATIONALS = frozenset({5, 10})
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946, 50000, 50001})
"""None, CCITT, LZW, JPEG, Deflate, PackBits, Zstandard, WebP."""
_RAW_PHOTO = frozenset({32767, 34713, 34892, 65535})
"""Sony, Nikon, lossy DNG, Pentax."""


def read(data: bytes) -> HeaderFacts:
    """Raise `CorruptImage` for what would take too long, `UnsupportedFormat` for raw photos and such."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2] == 43 or data[3] == 43  # noqa: PLR2004 - the magic number of BigTIFF
    start: int = unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    tags = _directory(data, start, order, big)
    for pointer in (_EXIF, _GPS, _INTEROP):
        if pointer in tags and tags[pointer][1] < len(data):
            _count(data, tags[pointer][1], order, big)

    def value(tag: int, default: int) -> int:
        return tags[tag][1] if tag in tags else default

    compression = value(_COMPRESSION, 1)
    camera = _MAKE in tags and _SUB_DIRECTORIES in tags and value(_SUBFILE, 0) & _THUMBNAIL
    if _DNG_VERSION in tags or compression in _RAW_PHOTO or camera:
        raise UnsupportedFormat("this is a raw photo, which Whatsit does not read")
    if compression not in _COMPRESSIONS:
        raise UnsupportedFormat(f"this is a TIFF with compression {compression}, which Whatsit does not read")
    tile = value(_TILE_WIDTH, 0), value(_TILE_HEIGHT, 0)
    if tile[0] * tile[1] > _TILE_PIXELS:
        raise ImageTooLarge(
            f"the TIFF's tiles are {tile[0]} x {tile[1]} pixels; the limit is {_TILE_PIXELS:,} pixels"
        )
    width, height = value(_WIDTH, 0), value(_HEIGHT, 0)
    # Tiles are decoded whole, also where the picture ends in the middle of them.
    tiles = -(-width // tile[0]) * -(-height // tile[1]) if all(tile) else 0
    return HeaderFacts(width, height, decoded=max(tiles * tile[0] * tile[1], width * height))


def _count(data: bytes, start: int, order: str, big: bool) -> int:
    count: int = unpack_from(order + ("Q" if big else "H"), data, start)[0]
    if count > _ENTRIES:
        raise CorruptImage(f"the TIFF has a directory of {count:,} entries")
    return count


def _directory(data: bytes, start: int, order: str, big: bool) -> dict[int, tuple[int, int]]:
    """Read the directory at `start`: tag -> (how many values it has, the first value or their position)."""
    if start >= len(data):
        raise CorruptImage("the TIFF points beyond its end")
    count = _count(data, start, order, big)
    entry = order + ("HHQ" if big else "HHI")
    size, room = (20, 8) if big else (12, 4)
    position = start + (8 if big else 2)
    tags: dict[int, tuple[int, int]] = {}
    for _ in range(count):
        tag, kind, values = unpack_from(entry, data, position)
        inline = position + calcsize(entry)
        number = _NUMBERS.get(kind)
        if number is None or values * calcsize(order + number) > room:
            number = "Q" if big else "I"
        if kind not in _BYTES and values > (_FRACTIONS if kind in _RATIONALS else _VALUES):
            raise CorruptImage(f"the TIFF has an entry of {values:,} numbers")
        tags.setdefault(tag, (values, unpack_from(order + number, data, inline)[0]))
        position += size
    return tags
