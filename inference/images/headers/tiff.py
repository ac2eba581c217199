"""TIFF: the first directory alone (TIFF 6.0 and BigTIFF). Further pages are not looked at."""

from __future__ import annotations

from dataclasses import dataclass
from struct import calcsize, unpack_from

from inference.images.headers.facts import HeaderFacts
from inference.results import CorruptImage, ImageTooLarge, UnsupportedFormat

_SUBFILE, _WIDTH, _HEIGHT, _COMPRESSION, _MAKE = 254, 256, 257, 259, 271
_STRIPS, _STRIP_LENGTHS, _TILES, _TILE_LENGTHS = 273, 279, 324, 325
_TILE_WIDTH, _TILE_HEIGHT, _SUB_DIRECTORIES = 322, 323, 330
_EXIF, _GPS, _INTEROP, _DNG_VERSION = 34665, 34853, 40965, 50706

_ENTRIES = 4_096
"""Entries of one directory. Pillow reads them one by one; a photograph has under a hundred."""
_VALUES = 200_000
"""Numbers in one entry; Pillow makes an object of each. The longest are colour maps and lists of strips."""
_FRACTIONS = 1_000
_TILE_PIXELS = 50_000_000
_PIECE_MS = 0.008
"""Milliseconds of a core for each strip or tile that is not compressed: Pillow makes a decoder for it."""
_SCANS = 12
"""Scans of one strip or tile that is a JPEG. Even a progressive one has ten, and nobody writes those."""
_START_OF_SCAN = b"\xff\xda"
_THUMBNAIL = 1
_BYTES = frozenset({1, 2, 6, 7})
_RATIONALS = frozenset({5, 10})
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_PLAIN, _JPEG = 1, 7
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
        if pointer in tags and tags[pointer].value < len(data):
            _count(data, tags[pointer].value, order, big)

    def value(tag: int, default: int) -> int:
        return tags[tag].first(data) if tag in tags else default

    compression = value(_COMPRESSION, _PLAIN)
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
    decoded = max(tiles * tile[0] * tile[1], width * height)
    pieces, lengths = (
        tags.get(tag) for tag in ((_TILES, _TILE_LENGTHS) if tiles else (_STRIPS, _STRIP_LENGTHS))
    )
    if compression == _PLAIN and pieces:
        return HeaderFacts(width, height, decoded=decoded, overhead_ms=pieces.count * _PIECE_MS)
    if compression == _JPEG and pieces:
        flaw = _flaw_of_jpegs(data, pieces, lengths)
        return HeaderFacts(width, height, decoded=decoded, coding="TIFF of JPEGs", flaw=flaw)
    return HeaderFacts(width, height, decoded=decoded)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a directory: how many numbers it has, and where they are.

    `number` is how `struct` reads one of them. `value` is the first, or where they are, where there are more
    than the entry itself has room for.
    """

    count: int
    value: int
    number: str
    position: int

    def first(self, data: bytes) -> int:
        """Return the first number."""
        number: int = unpack_from(self.number, data, self.position)[0]
        return number

    def all(self, data: bytes) -> tuple[int, ...]:
        """Return all numbers. Raises `CorruptImage` for too many."""
        if self.count > _VALUES:
            raise CorruptImage(f"the TIFF has an entry of {self.count:,} numbers")
        return unpack_from(f"{self.number[0]}{self.count}{self.number[1]}", data, self.position)


def _flaw_of_jpegs(data: bytes, pieces: _Entry, lengths: _Entry | None) -> str | None:
    """Say what is wrong with the strips or tiles of a picture, each of which is a JPEG."""
    starts = pieces.all(data)
    sizes = lengths.all(data) if lengths else ()
    if len(starts) != len(sizes):
        return "the TIFF does not say how long its JPEGs are"
    if sum(sizes) > len(data):
        return "the TIFF's JPEGs are larger than the file"
    places = zip(starts, sizes, strict=True)
    scans = max(data.count(_START_OF_SCAN, start, start + size) for start, size in places)
    return f"the TIFF has a JPEG of {scans} scans" if scans > _SCANS else None


def _count(data: bytes, start: int, order: str, big: bool) -> int:
    count: int = unpack_from(order + ("Q" if big else "H"), data, start)[0]
    if count > _ENTRIES:
        raise CorruptImage(f"the TIFF has a directory of {count:,} entries")
    return count


def _directory(data: bytes, start: int, order: str, big: bool) -> dict[int, _Entry]:
    """Read the entries of the directory at `start`, by their tags."""
    if start >= len(data):
        raise CorruptImage("the TIFF points beyond its end")
    count = _count(data, start, order, big)
    entry = order + ("HHQ" if big else "HHI")
    size, room = (20, 8) if big else (12, 4)
    position = start + (8 if big else 2)
    tags: dict[int, _Entry] = {}
    for _ in range(count):
        tag, kind, values = unpack_from(entry, data, position)
        inline = position + calcsize(entry)
        pointer = order + ("Q" if big else "I")
        number = order + _NUMBERS[kind] if kind in _NUMBERS else pointer
        is_apart = kind not in _NUMBERS or values * calcsize(number) > room
        if kind not in _BYTES and values > (_FRACTIONS if kind in _RATIONALS else _VALUES):
            raise CorruptImage(f"the TIFF has an entry of {values:,} numbers")
        value: int = unpack_from(pointer if is_apart else number, data, inline)[0]
        tags.setdefault(tag, _Entry(values, value, number, value if is_apart else inline))
        position += size
    return tags
