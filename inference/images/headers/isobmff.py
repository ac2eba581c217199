"""AVIF and HEIC: the sizes in the boxes of an ISO base media file (ISO/IEC 14496-12, 23008-12)."""

from __future__ import annotations

from struct import unpack_from

from inference.images.headers.boxes import boxes, boxes_between
from inference.images.headers.coded_video import CodedFrames, CodedVideoReader
from inference.images.headers.facts import HeaderFacts
from inference.images.headers.items import ItemTable
from inference.results import CorruptImage

_SAMPLES = 100_000
"""Frames of a sequence; the decoder lists them all before it shows the first."""
_VIDEO = frozenset({b"av01", b"hvc1", b"hev1", b"avc1", b"avc3", b"vvc1", b"mjpg", b"j2ki", b"uncv"})
_BEFORE_CONFIGURATION = 78
"""Bytes of a sample entry before its inner boxes."""


def read(data: bytes) -> HeaderFacts:
    """Raise `CorruptImage` for what would cost too much. The size is the largest that any item claims."""
    reader = CodedVideoReader()
    items, tracks = ItemTable(data, reader), _SampleTables(data, reader)
    for kind, start, end in boxes(data):
        items.take(kind, start, end)
        tracks.take(kind, start, end)
    items.finish()
    sizes = [*items.sizes, *tracks.sizes]
    if not sizes:
        raise CorruptImage("the file names no picture size")
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    frames = tracks.samples if data[8:12] == b"avis" else 1
    pixels, coded_bytes = items.work()
    decoded = max(pixels, tracks.pixels(), width * height)
    return HeaderFacts(width, height, frames=frames, decoded=decoded, coded_bytes=coded_bytes, kept=decoded)


class _SampleTables:
    """Collects what the boxes of a file say of the frames of a sequence.

    `sizes` are (width, height) of all tracks, in pixels; `samples` is how many frames the longest has.
    """

    def __init__(self, data: bytes, reader: CodedVideoReader) -> None:
        self.sizes: list[tuple[int, int]] = []
        self.samples = 1
        self._data, self._reader = data, reader
        self._coded = CodedFrames()
        self._lengths: list[tuple[int, ...]] = []
        self._runs: list[list[tuple[int, int]]] = []
        self._chunks: list[tuple[int, ...]] = []

    def take(self, kind: bytes, start: int, end: int) -> None:
        """Read a box, if it says something of a track."""
        if kind in _VIDEO:
            self.sizes.append(unpack_from(">HH", self._data, start + 24))
            for inner, content, stop in boxes_between(self._data, start + _BEFORE_CONFIGURATION, end):
                if inner == b"av1C":
                    self._coded.merge(self._reader.av1(self._data[content + 4 : stop]))
        elif kind == b"stsz":
            same, count = unpack_from(">II", self._data, start + 4)
            self.samples = max(self.samples, count)
            if count > _SAMPLES:
                raise CorruptImage(f"the file says it has {count:,} frames")
            self._lengths.append(
                (same,) * count if same else unpack_from(f">{count}I", self._data, start + 12)
            )
        elif kind == b"stsc":
            runs = unpack_from(">I", self._data, start + 4)[0]
            numbers = unpack_from(f">{3 * min(runs, _SAMPLES)}I", self._data, start + 8)
            self._runs.append(list(zip(numbers[::3], numbers[1::3], strict=True)))
        elif kind in (b"stco", b"co64"):
            count = min(unpack_from(">I", self._data, start + 4)[0], _SAMPLES)
            self._chunks.append(
                unpack_from(f">{count}{'I' if kind == b'stco' else 'Q'}", self._data, start + 8)
            )

    def pixels(self) -> int:
        """Return the pixels that a decoder goes through for one frame of each track, hidden ones included."""
        largest = max((width * height for width, height in self.sizes), default=0)
        pixels = 0
        if not len(self._lengths) == len(self._runs) == len(self._chunks):
            raise CorruptImage("the file has a sequence without its tables")
        if sum(map(sum, self._lengths)) > len(self._data):
            raise CorruptImage("the file's frames are larger than the file")
        for lengths, runs, chunks in zip(self._lengths, self._runs, self._chunks, strict=True):
            most = CodedFrames(max(largest, self._coded.pixels), 1)
            for sample in _samples(lengths, runs, chunks):
                found = self._reader.av1(self._data[sample])
                most = CodedFrames(max(most.pixels, found.pixels), max(most.frames, found.frames))
            pixels += most.pixels * most.frames
        return pixels


def _samples(lengths: tuple[int, ...], runs: list[tuple[int, int]], chunks: tuple[int, ...]) -> list[slice]:
    """Return where the samples of a track are; a run says from which chunk on each has how many samples."""
    samples: list[slice] = []
    left = iter(lengths)
    for index, (first, count) in enumerate(runs):
        last = runs[index + 1][0] if index + 1 < len(runs) else len(chunks) + 1
        for chunk in range(first, min(last, len(chunks) + 1)):
            position = chunks[chunk - 1]
            for length in (next(left, None) for _ in range(min(count, len(lengths)))):
                if length is None:
                    return samples
                samples.append(slice(position, position + length))
                position += length
    return samples
