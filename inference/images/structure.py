"""How a picture is built, in so far as that decides what it costs to decode.

Two files of the same structure differ in pixels, metadata, the order of their parts, or bytes that no decoder
reads. Nothing is decoded, and at most `PARTS` parts are walked through: it takes under a millisecond.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from struct import error as struct_error
from struct import unpack_from
from typing import NamedTuple

from inference.images.headers.file_type import recognise

PARTS = 256
PROFILE_BYTES = 64 * 1024
"""Of a compressed colour profile, what is inflated: its table of tags, and most profiles whole."""

_MARKER = re.compile(rb"\xff[^\xff]")
_SCANNED_BYTES = 256 * 1024
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TIFF_TAGS = frozenset({256, 257, 258, 259, 262, 277, 317, 322, 323})
"""Size, bits, compression, colours, predictor and tiles."""
_BOXES_OF_BOXES = {
    b"moov": 0,
    b"trak": 0,
    b"mdia": 0,
    b"minf": 0,
    b"stbl": 0,
    b"iprp": 0,
    b"ipco": 0,
    b"meta": 4,
}
_COSTLY_BOXES = frozenset({b"iref", b"iloc", b"iinf", b"ipma", b"hvcC", b"av1C", b"stsz"})


class Structure(NamedTuple):
    """`rough` is shared by all pictures that are built alike; with `size` and `bytes` it is the exact one.

    `size` is (width, height) in pixels as far as it was found, `bytes` the binary logarithm of the file's
    length.
    """

    rough: frozenset[tuple[object, ...]]
    size: tuple[int, int]
    bytes: int


Fact = tuple[object, ...]
"""What is found in a file: a word for it, and numbers. ("size", width, height) is one, ("profile", bytes)
another."""


def structure(data: bytes) -> Structure | None:
    """Return how `data` is built, None where it is in no format that is ever decoded.

    It never fails: a damaged file has the structure of its sound beginning.
    """
    form = recognise(data)
    if form not in _READERS:
        return None
    facts: set[Fact] = {("format", form)}
    size = (0, 0)
    try:
        for fact in _READERS[form](data):
            match fact:
                case ("size", int(width), int(height)):
                    size = max(size, (width, height), key=lambda sides: sides[0] * sides[1])
                case ("profile", bytes(profile)):
                    facts.update(_profile(profile))
                case _:
                    facts.add(fact)
    except (struct_error, IndexError):
        facts.add(("damaged",))
    facts.add(("size", *(side.bit_length() for side in size)))
    return Structure(frozenset(facts), size, len(data).bit_length())


def _png(data: bytes) -> Iterator[Fact]:
    position, frames = 8, 0
    for _ in range(PARTS):
        if position + 8 > len(data):
            break
        length, kind = unpack_from(">I4s", data, position)
        content = data[position + 8 : position + 8 + min(length, PROFILE_BYTES)]
        if kind == b"IHDR":
            yield ("size", *unpack_from(">II", content))
            yield ("pixels", content[8:13])
        elif kind == b"iCCP":
            yield ("profile", _inflated(content[content.index(b"\0") + 2 :] if b"\0" in content else b""))
        elif kind == b"fcTL":
            frames += 1
        elif kind == b"IEND":
            break
        position += 12 + length
    yield ("frames", frames.bit_length())


def _jpeg(data: bytes) -> Iterator[Fact]:
    position = 2
    profile = b""
    for _ in range(PARTS):
        found = _MARKER.search(data, position)
        if found is None:
            break
        position = found.end() - 2
        marker, length = unpack_from(">BH", data, position + 1)
        if marker in _JPEG_FRAMES:
            height, width, components = unpack_from(">HHB", data, position + 5)
            yield ("size", width, height)
            yield (
                "frame",
                marker,
                components,
                *(data[position + 11 + 3 * i] for i in range(min(components, 4))),
            )
        elif marker == 0xE2 and data.startswith(b"ICC_PROFILE\0", position + 4):  # noqa: PLR2004 - APP2
            profile += data[position + 18 : position + 2 + length]
        elif marker == 0xDA:  # noqa: PLR2004 - start of scan
            break
        position += 2 + length
    if profile:
        yield ("profile", profile)
    yield ("scans", data.count(b"\xff\xda").bit_length())


def _webp(data: bytes) -> Iterator[Fact]:
    position, frames = 12, 0
    for _ in range(PARTS):
        if position + 8 > len(data):
            break
        kind, length = unpack_from("<4sI", data, position)
        content = data[position + 8 : position + 8 + min(length, PROFILE_BYTES)]
        if kind == b"VP8X":
            yield (
                "size",
                int.from_bytes(content[4:7], "little") + 1,
                int.from_bytes(content[7:10], "little") + 1,
            )
        elif kind == b"VP8L":
            bits: int = unpack_from("<I", content, 1)[0]
            yield ("size", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        elif kind == b"VP8 ":
            width, height = unpack_from("<HH", content, 6)
            yield ("size", width & 0x3FFF, height & 0x3FFF)
        elif kind == b"ICCP":
            yield ("profile", content)
        elif kind == b"ANMF":
            frames += 1
        if kind in (b"VP8L", b"VP8 ", b"ALPH", b"ANIM"):
            yield (kind,)
        position += 8 + length + (length & 1)
    yield ("frames", frames.bit_length())


def _gif(data: bytes) -> Iterator[Fact]:
    yield ("size", *unpack_from("<HH", data, 6))
    yield ("animated", data.count(b"\x21\xf9\x04", 0, _SCANNED_BYTES) > 1)


def _bmp(data: bytes) -> Iterator[Fact]:
    width, height, _, depth, compression = unpack_from("<iiHHI", data, 18)
    yield ("size", abs(width), abs(height))
    yield ("pixels", depth, compression)


def _tiff(data: bytes) -> Iterator[Fact]:
    order = "<" if data[:2] == b"II" else ">"
    if 43 in data[2:4]:  # noqa: PLR2004 - BigTIFF's magic number
        start, count, entry, inline = unpack_from(order + "Q", data, 8)[0], "Q", "HHQ", "Q"
    else:
        start, count, entry, inline = unpack_from(order + "I", data, 4)[0], "H", "HHI", "I"
    width = height = 0
    step = 20 if count == "Q" else 12
    first = start + (8 if count == "Q" else 2)
    entries: int = unpack_from(order + count, data, start)[0]
    for i in range(min(entries, PARTS)):
        tag, kind, number = unpack_from(order + entry, data, first + i * step)
        place = first + i * step + (12 if count == "Q" else 8)
        value: int = unpack_from(order + ("H" if kind == 3 and number == 1 else inline), data, place)[0]  # noqa: PLR2004
        if tag == 256:  # noqa: PLR2004
            width = value
        elif tag == 257:  # noqa: PLR2004
            height = value
        elif tag == 34675:  # noqa: PLR2004 - the colour profile
            yield ("profile", data[value : value + min(number, PROFILE_BYTES)])
        elif tag in _TIFF_TAGS:
            yield ("tag", tag, value if number == 1 else number)
    yield ("size", width, height)


def _boxes(data: bytes) -> Iterator[Fact]:
    todo = [(0, len(data))]
    for _ in range(PARTS):
        while todo and todo[-1][0] + 8 > todo[-1][1]:
            todo.pop()
        if not todo:
            break
        start, end = todo.pop()
        length, kind = unpack_from(">I4s", data, start)
        content = start + 8
        if length == 1:
            length, content = unpack_from(">Q", data, content)[0], content + 8
        following = start + max(length, content - start) if length else end
        todo.append((following, end))
        if kind in _BOXES_OF_BOXES:
            todo.append((content + _BOXES_OF_BOXES[kind], min(following, end)))
        yield from _box(kind, data[content : min(following, content + PROFILE_BYTES)], following - start)


def _box(kind: bytes, content: bytes, length: int) -> Iterator[Fact]:
    if kind == b"ispe":
        yield ("size", *unpack_from(">II", content, 4))
    elif kind == b"colr" and content[:4] in (b"prof", b"rICC"):
        yield ("profile", content[4:])
    elif kind in _COSTLY_BOXES:
        yield (kind, length.bit_length())


_READERS = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WEBP": _webp,
    "GIF": _gif,
    "BMP": _bmp,
    "TIFF": _tiff,
    "AVIF": _boxes,
    "HEIF": _boxes,
}


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, PROFILE_BYTES)
    except zlib.error:
        return b""


def _profile(profile: bytes) -> Iterator[Fact]:
    """Yield a colour profile's class and colour spaces, and each tag's kind and its length's logarithm."""
    yield ("profile", profile[12:24])
    count = min(int.from_bytes(profile[128:132], "big"), PARTS)
    for position in range(132, min(132 + 12 * count, len(profile) - 11), 12):
        tag, place, length = unpack_from(">4sII", profile, position)
        yield ("profile", tag, profile[place : place + 4], length.bit_length())
