"""The boxes that an ISO base media file is made of (ISO/IEC 14496-12)."""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack_from

from inference.results import CorruptImage

_BOXES = 20_000
_CONTAINERS = {
    b"moov": 0,
    b"trak": 0,
    b"mdia": 0,
    b"minf": 0,
    b"stbl": 0,
    b"iprp": 0,
    b"meta": 4,
    b"stsd": 8,
    b"iinf": 6,
}
"""Boxes of boxes, and how many bytes come before the first inner box (8 in a later version of `iinf`)."""


def boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield every box that is not one of `_CONTAINERS`: kind, and where its content begins and ends."""
    todo = [(0, len(data))]
    seen = 0
    while todo:
        for kind, start, end in boxes_between(data, *todo.pop()):
            seen += 1
            if seen > _BOXES:
                raise CorruptImage(f"the file has more than {_BOXES:,} boxes")
            if kind in _CONTAINERS:
                later = kind == b"iinf" and data[start] > 0
                todo.append((start + _CONTAINERS[kind] + 2 * later, end))
            else:
                yield kind, start, end


def boxes_between(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
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


class BoxFields:
    """Reads the numbers in a box one after the other. Raises IndexError past its end."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self._position, self._end = data, start, end

    def number(self, size: int) -> int:
        """Read a number of `size` bytes."""
        start, self._position = self._position, self._position + size
        if self._position > self._end:
            raise IndexError("past the end")
        return int.from_bytes(self._data[start : self._position], "big")
