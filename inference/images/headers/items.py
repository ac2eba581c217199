"""The items of a HEIC or AVIF file: coded pictures, and pictures made of them (ISO/IEC 23008-12).

What an item costs is not what its own size says: a grid decodes each of its tiles, also when all of them are
the same, and a coded picture is as large as its own sequence header says.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from struct import unpack_from

from inference.images.headers.boxes import BoxFields, boxes_between
from inference.images.headers.coded_video import CodedFrames, CodedVideoReader
from inference.images.headers.facts import EXIF_BYTES
from inference.results import CorruptImage

_LISTED = 20_000
"""Items, their pieces, properties and references in the whole file: listing a piece may take no byte."""
_REUSE = 4
"""How many times the items together may read the file: the decoder copies each piece of metadata."""
_CANVASES = frozenset({b"grid", b"iovl"})
_DERIVED = frozenset({*_CANVASES, b"iden", b"tmap"})
"""Items that are made of others; to put them together costs a fraction of decoding them."""
_PUTTING_TOGETHER = 4
_TURNS = frozenset({b"irot", b"imir", b"clap", b"iscl"})
_MOST_TURNS = 3
"""A picture is turned, mirrored and cut once each; a decoder does all that is listed, one after the other."""
_MOST_LEVELS = 8
"""Levels of pictures that are made of pictures; a phone writes two."""
_ONLY_ONCE = frozenset({b"iloc", b"idat"})
"""Boxes that tell where things are: of two, the decoder might take the other one."""
_FILE, _ITEM_DATA, _ANOTHER_ITEM = 0, 1, 2


@dataclass(slots=True)
class _ItemProperty:
    """A property: what it says of a picture's size, whatever its kind."""

    kind: bytes
    size: tuple[int, int] = (0, 0)
    coded: CodedFrames | None = None
    length_size: int = 0


@dataclass(frozen=True, slots=True)
class _ItemWork:
    """What it takes to decode an item: pixels, coded bytes, and levels of pictures made of pictures."""

    pixels: int
    bytes: int = 0
    levels: int = 1


class ItemTable:
    """Collects what the boxes of a file say of its items.

    `sizes` are (width, height) of all properties and canvases, in pixels.
    """

    def __init__(self, data: bytes, reader: CodedVideoReader) -> None:
        self.sizes: list[tuple[int, int]] = []
        self._data, self._reader = data, reader
        self._kinds: defaultdict[int, set[bytes]] = defaultdict(set)
        self._places: dict[int, list[tuple[int, int, int]]] = {}
        self._seen: set[bytes] = set()
        self._properties: list[_ItemProperty] = []
        self._uses: defaultdict[int, list[int]] = defaultdict(list)
        self._needs: defaultdict[int, list[int]] = defaultdict(list)
        self._item_data = (0, 0)
        self._listed = 0
        self._works: dict[int, _ItemWork] = {}

    def take(self, kind: bytes, start: int, end: int) -> None:
        """Read a box, if it says something of items."""
        if kind in _ONLY_ONCE and kind in self._seen:
            raise CorruptImage(f"the file has two boxes of the kind {kind.decode()}")
        self._seen.add(kind)
        if kind == b"infe":
            self._take_item(start)
        elif kind == b"iloc":
            self._take_places(start, end)
        elif kind == b"idat":
            self._item_data = start, end
        elif kind == b"ipco":
            self._take_properties(start, end)
        elif kind == b"ipma":
            self._take_uses(start, end)
        elif kind == b"iref":
            self._take_references(start, end)

    def finish(self) -> None:
        """Read what could not be read before all boxes were seen. Raises CorruptImage for too much of it."""
        total = sum(length for place in self._places.values() for _, _, length in place)
        if total > _REUSE * len(self._data):
            raise CorruptImage("the file's items are larger than the file")
        for item, kinds in self._kinds.items():
            if kinds & _CANVASES:
                self.sizes.append(self._canvas(item))
            if b"Exif" in kinds and sum(length for _, _, length in self._places.get(item, ())) > EXIF_BYTES:
                raise CorruptImage(f"the file has more than {EXIF_BYTES:,} bytes of EXIF data")

    def work(self) -> tuple[int, int]:
        """Return the pixels and the coded bytes that a decoder goes through for the costliest items."""
        found = [self._work_of(item, 0) for item in list(self._kinds)]
        return max((work.pixels for work in found), default=0), max((work.bytes for work in found), default=0)

    def _work_of(self, item: int, above: int) -> _ItemWork:
        """Return what it takes to decode an item, with all that it is made of."""
        if item not in self._works:
            deeper = self._needs[item] if above < _MOST_LEVELS else []
            parts = [self._work_of(part, above + 1) for part in deeper]
            levels = 1 + max((part.levels for part in parts), default=0)
            if max(above, levels) >= _MOST_LEVELS:
                raise CorruptImage(f"the file has pictures of pictures, more than {_MOST_LEVELS} levels deep")
            own = self._own_work(item)
            self._works[item] = _ItemWork(
                own.pixels + sum(part.pixels for part in parts),
                own.bytes + sum(part.bytes for part in parts),
                levels,
            )
        return self._works[item]

    def _own_work(self, item: int) -> _ItemWork:
        used = [self._properties[index] for index in self._uses[item] if index < len(self._properties)]
        turns = sum(each.kind in _TURNS for each in used)
        if turns > _MOST_TURNS:
            raise CorruptImage(f"the file has a picture that is turned more than {_MOST_TURNS} times")
        pixels = max((each.size[0] * each.size[1] for each in used), default=0)
        if self._kinds[item] & _CANVASES:
            width, height = self._canvas(item)
            pixels = max(pixels, width * height)
        turned = turns * pixels // _PUTTING_TOGETHER
        if self._kinds[item] <= _DERIVED:
            return _ItemWork(pixels // _PUTTING_TOGETHER + turned)
        found = CodedFrames(pixels)
        for each in used:
            if each.coded is not None:
                found.merge(CodedFrames(each.coded.pixels))
        content = self._content(item)
        for length_size in {each.length_size for each in used if each.kind == b"hvcC"}:
            found.merge(self._reader.hevc(content, length_size))
        if any(each.kind == b"av1C" for each in used):
            found.merge(self._reader.av1(content))
        return _ItemWork(found.pixels * max(found.frames, 1) + turned, len(content))

    def _canvas(self, item: int) -> tuple[int, int]:
        content = self._content(item)
        if not content:
            return 0, 0
        # Before the size are a grid's rows and columns, or an overlay's background colour.
        before = 4 if b"grid" in self._kinds[item] else 10
        width, height = unpack_from(">II" if content[1] & 1 else ">HH", content, before)
        return width, height

    def _content(self, item: int) -> bytes:
        pieces = []
        for where, offset, length in self._places.get(item, ()):
            start, end = self._item_data if where == _ITEM_DATA else (0, len(self._data))
            pieces.append(self._data[start + offset : min(start + offset + length, end)])
        return b"".join(pieces)

    def _count(self, listed: int) -> None:
        self._listed += listed
        if self._listed > _LISTED:
            raise CorruptImage(f"the file lists more than {_LISTED:,} items and pieces of them")

    def _take_item(self, start: int) -> None:
        wide = self._data[start] > 2  # noqa: PLR2004 - version 3 has longer item numbers
        at = start + (8 if wide else 6)
        self._kinds[int.from_bytes(self._data[start + 4 : at], "big")].add(self._data[at + 2 : at + 6])

    def _take_places(self, start: int, end: int) -> None:
        """Read the `iloc` box: the pieces of the file that each item is made of."""
        number = BoxFields(self._data, start, end).number
        version = number(1)
        number(3)
        sizes = number(2)
        offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
        index_size = sizes & 15 if version else 0
        wide = 4 if version > 1 else 2
        for _ in range(number(wide)):
            item = number(wide)
            where = number(2) & 15 if version else _FILE
            if where == _ANOTHER_ITEM:
                raise CorruptImage("the file has an item that is made of another item's bytes")
            number(2)  # which file it is in: always this one
            base = number(base_size)
            extents = number(2)
            self._count(1 + extents)
            self._places[item] = []
            for _ in range(extents):
                number(index_size)  # for items made of other items alone
                self._places[item].append((where, base + number(offset_size), number(length_size)))

    def _take_properties(self, start: int, end: int) -> None:
        for kind, content, stop in boxes_between(self._data, start, end):
            self._count(1)
            each = _ItemProperty(kind)
            if kind == b"ispe":
                each.size = unpack_from(">II", self._data, content + 4)
                self.sizes.append(each.size)
            elif kind == b"hvcC":
                each.coded, each.length_size = self._reader.hevc_configuration(self._data[content:stop])
            elif kind == b"av1C":
                each.coded = self._reader.av1(self._data[content + 4 : stop])
            self._properties.append(each)

    def _take_uses(self, start: int, end: int) -> None:
        """Read an `ipma` box: which properties each item has, counted from 1."""
        number = BoxFields(self._data, start, end).number
        version, flags = number(1), number(3)
        for _ in range(number(4)):
            item = number(4 if version else 2)
            count = number(1)
            self._count(1 + count)
            for _ in range(count):
                index = number(2) & 0x7FFF if flags & 1 else number(1) & 0x7F
                self._uses[item].append(index - 1)

    def _take_references(self, start: int, end: int) -> None:
        """Read the `iref` box: what an item is made of, and what is decoded with it, such as its alpha."""
        wide = 4 if self._data[start] else 2
        for kind, content, stop in boxes_between(self._data, start + 4, end):
            number = BoxFields(self._data, content, stop).number
            source, count = number(wide), number(2)
            self._count(1 + count)
            for _ in range(count):
                target = number(wide)
                if kind == b"dimg":
                    self._needs[source].append(target)
                elif kind == b"auxl":
                    self._needs[target].append(source)
