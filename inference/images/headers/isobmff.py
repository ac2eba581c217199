"""AVIF and HEIC: the sizes in the boxes of an ISO base media file (ISO/IEC 14496-12, 23008-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import unpack_from

from inference.images.headers.facts import EXIF_BYTES, HeaderFacts
from inference.results import CorruptImage

_BOXES = 20_000
_PLACES = 20_000
"""Items and their pieces in the whole file: listing a piece may take no byte."""
_SAMPLES = 100_000
"""Frames of a sequence; the decoder lists them all before it shows the first."""
_REUSE = 4
"""How many times the items together may read the file: the decoder copies each piece of metadata."""

_CONTAINERS = {
    b"moov": 0,
    b"trak": 0,
    b"mdia": 0,
    b"minf": 0,
    b"stbl": 0,
    b"iprp": 0,
    b"ipco": 0,
    b"meta": 4,
    b"stsd": 8,
    b"iinf": 6,
}
"""Boxes of boxes, and how many bytes come before the first inner box (8 in a later version of `iinf`)."""
_VIDEO = frozenset({b"av01", b"hvc1", b"hev1", b"avc1", b"avc3", b"vvc1", b"mjpg", b"j2ki", b"uncv"})
_CANVASES = frozenset({b"grid", b"iovl"})


def read(data: bytes) -> HeaderFacts:
    """Raise `CorruptImage` for what would cost too much. The size is the largest that any item claims."""
    found = _FoundBoxes()
    for kind, start, end in _boxes(data):
        found.take(data, kind, start, end)
    if found.samples > _SAMPLES:
        raise CorruptImage(f"the file says it has {found.samples:,} frames")
    if sum(length for place in found.places.values() for _, length in place.extents) > _REUSE * len(data):
        raise CorruptImage("the file's items are larger than the file")
    sizes = [*found.sizes, *_canvas_sizes(data, found)]
    if not sizes:
        raise CorruptImage("the file names no picture size")
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return HeaderFacts(width, height, frames=found.samples if data[8:12] == b"avis" else 1)


@dataclass(slots=True)
class _ItemPlace:
    """The position of an item's bytes: in the file, or (`inside`) in the `idat` box."""

    inside: bool
    extents: list[tuple[int, int]]


@dataclass(slots=True)
class _FoundBoxes:
    sizes: list[tuple[int, int]] = field(default_factory=list)
    infos: list[int] = field(default_factory=list)
    places: dict[int, _ItemPlace] = field(default_factory=dict)
    item_data: int = 0
    samples: int = 1
    listed: int = 0

    def take(self, data: bytes, kind: bytes, start: int, end: int) -> None:
        if kind == b"ispe":
            self.sizes.append(unpack_from(">II", data, start + 4))
        elif kind in _VIDEO:
            self.sizes.append(unpack_from(">HH", data, start + 24))
        elif kind == b"infe":
            self.infos.append(start)
        elif kind == b"iloc":
            self.take_places(data[start:end])
        elif kind == b"idat":
            self.item_data = start
        elif kind == b"stsz":
            self.samples = max(self.samples, unpack_from(">I", data, start + 8)[0])

    def take_places(self, table: bytes) -> None:
        """Read the `iloc` box: the pieces of the file that each item is made of."""
        version, _, sizes = unpack_from(">B3sH", table)
        offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
        index_size = sizes & 15 if version else 0
        position = 6

        def number(size: int) -> int:
            nonlocal position
            if position + size > len(table):
                raise IndexError("past the end")
            position += size
            return int.from_bytes(table[position - size : position], "big")

        wide = 4 if version > 1 else 2
        for _ in range(number(wide)):
            item = number(wide)
            inside = bool(version) and number(2) & 15 == 1
            number(2)  # which file it is in: always this one
            base = number(base_size)
            extents = number(2)
            self.listed += 1 + extents
            if self.listed > _PLACES:
                raise CorruptImage(f"the file lists more than {_PLACES:,} items and pieces of them")
            self.places[item] = _ItemPlace(inside, [])
            for _ in range(extents):
                number(index_size)  # for items made of other items alone
                self.places[item].extents.append((base + number(offset_size), number(length_size)))


def _level(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the boxes between `start` and `end`: kind, and where the content begins and ends."""
    for _ in range(_BOXES):
        if start + 8 > end:
            return
        size, kind = unpack_from(">I4s", data, start)
        content = start + 8
        if size == 1:
            size, content = unpack_from(">Q", data, content)[0], content + 8
        elif size == 0:
            size = end - start
        if size < content - start:
            raise CorruptImage("the file has a box that is smaller than its own header")
        yield kind, content, min(start + size, end)
        start += size
    raise CorruptImage(f"the file has more than {_BOXES:,} boxes")


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield every box in the file that is not a box of boxes."""
    todo = [(0, len(data))]
    seen = 0
    while todo:
        for kind, start, end in _level(data, *todo.pop()):
            seen += 1
            if seen > _BOXES:
                raise CorruptImage(f"the file has more than {_BOXES:,} boxes")
            if kind in _CONTAINERS:
                later = kind == b"iinf" and data[start] > 0
                todo.append((start + _CONTAINERS[kind] + 2 * later, end))
            else:
                yield kind, start, end


def _items(data: bytes, found: _FoundBoxes) -> Iterator[tuple[bytes, _ItemPlace]]:
    """Yield the kind of each item, and where it is."""
    for info in found.infos:
        wide = data[info] > 2  # noqa: PLR2004 - version 3 has longer item numbers
        item = int.from_bytes(data[info + 4 : info + (8 if wide else 6)], "big")
        if item in found.places:
            at = info + (10 if wide else 8)
            yield data[at : at + 4], found.places[item]


def _canvas_sizes(data: bytes, found: _FoundBoxes) -> Iterator[tuple[int, int]]:
    """Yield the sizes of pictures made of others, such as a phone's photo of tiles."""
    for kind, place in _items(data, found):
        if kind in _CANVASES and place.extents:
            at = place.extents[0][0] + (found.item_data if place.inside else 0)
            yield _canvas_size(data, at, kind)
        elif kind == b"Exif" and sum(length for _, length in place.extents) > EXIF_BYTES:
            raise CorruptImage(f"the file has more than {EXIF_BYTES:,} bytes of EXIF data")


def _canvas_size(data: bytes, at: int, item_type: bytes) -> tuple[int, int]:
    before = 4 if item_type == b"grid" else 10  # a grid's rows and columns; an overlay's background colour
    width, height = unpack_from(">II" if data[at + 1] & 1 else ">HH", data, at + before)
    return width, height
