"""The sizes that a coded picture really has, from its own units: HEVC (ITU-T H.265) and AV1.

What the boxes around a coded picture say of its size is a claim. The decoder obeys the picture's own sequence
header, and decodes every frame that is there, whether it is shown or not.
"""

from __future__ import annotations

from dataclasses import dataclass

from inference.images.headers.av1 import Av1Sequence, av1_sequence, frame_states_its_size
from inference.images.headers.coded_bits import CodedBits
from inference.results import CorruptImage

_UNITS = 50_000
"""Units in the whole file that are walked through; an encoder writes a few for each tile."""
_SLICES = 5_000
"""Of these, units of HEVC. The decoder keeps the header of each slice."""
_HEADER_BYTES = 256
"""A sequence header ends its sizes within 100 bytes."""

_HEVC_SEQUENCE, _HEVC_FIRST_OTHER = 33, 32
_HEVC_FULL_COLOURS = 3
"""4:4:4, whose planes have twice the samples of 4:2:0."""
_AV1_SEQUENCE, _AV1_FRAMES = 1, frozenset({3, 6})


@dataclass(slots=True)
class CodedFrames:
    """What coded data hold: the largest size of a frame (pixels, as of 4:2:0), and how many frames."""

    pixels: int = 0
    frames: int = 0

    def merge(self, other: CodedFrames) -> None:
        self.pixels = max(self.pixels, other.pixels)
        self.frames += other.frames


class CodedVideoReader:
    """Reads the coded pictures of one file.

    Raises CorruptImage for too many pieces, IndexError for what is cut short.
    """

    def __init__(self) -> None:
        self._units = self._slices = 0
        self._av1: Av1Sequence | None = None

    def hevc_configuration(self, box: bytes) -> tuple[CodedFrames, int]:
        """Read an `hvcC` box; return what it holds, and how many bytes the length of a unit takes."""
        found = CodedFrames()
        position = 23
        for _ in range(box[22]):
            units = int.from_bytes(box[position + 1 : position + 3], "big")
            position += 3
            for _ in range(units):
                self._count()
                length = int.from_bytes(box[position : position + 2], "big")
                found.merge(_hevc_unit(box[position + 2 : position + 2 + length]))
                position += 2 + length
                if position > len(box):
                    raise IndexError("past the end")
        return found, (box[21] & 3) + 1

    def hevc(self, data: bytes, length_size: int) -> CodedFrames:
        """Read a coded picture whose units are preceded by their lengths."""
        found = CodedFrames()
        position = 0
        while position + length_size < len(data):
            self._count()
            self._slices += 1
            if self._slices > _SLICES:
                raise CorruptImage(f"the file's pictures have more than {_SLICES:,} slices")
            start = position + length_size
            position = start + int.from_bytes(data[position:start], "big")
            found.merge(_hevc_unit(data[start : min(position, start + _HEADER_BYTES)]))
        return found

    def av1(self, data: bytes) -> CodedFrames:
        """Read a coded picture, or what follows the first four bytes of an `av1C` box."""
        found = CodedFrames()
        position = 0
        while position < len(data):
            self._count()
            header = data[position]
            position += 2 if header & 4 else 1
            size = len(data) - position
            if header & 2:
                size, position = _leb128(data, position)
            kind = header >> 3 & 15
            unit = CodedBits(data[position : position + min(size, _HEADER_BYTES)])
            if kind == _AV1_SEQUENCE:
                self._av1 = av1_sequence(unit)
                found.pixels = max(found.pixels, self._av1.pixels)
            elif kind in _AV1_FRAMES:
                found.frames += 1
                if self._av1 is not None and frame_states_its_size(unit, self._av1):
                    found.pixels = max(found.pixels, self._av1.most_pixels)
            position += size
        return found

    def _count(self) -> None:
        self._units += 1
        if self._units > _UNITS:
            raise CorruptImage(f"the file's pictures have more than {_UNITS:,} units")


def _hevc_unit(unit: bytes) -> CodedFrames:
    kind = unit[0] >> 1 & 63 if len(unit) > 2 else _HEVC_FIRST_OTHER  # noqa: PLR2004 - its header is 2 bytes
    if kind < _HEVC_FIRST_OTHER:
        return CodedFrames(frames=unit[2] >> 7)  # only a frame's first slice has this bit
    if kind != _HEVC_SEQUENCE:
        return CodedFrames()
    bits = CodedBits(unit[2:_HEADER_BYTES].replace(b"\0\0\3", b"\0\0"))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 88 + 8)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    bits.take(2 * (8 - layers) if layers else 0)
    bits.take(sum(88 * profile + 8 * level for profile, level in present))
    bits.exponential()
    colours = bits.exponential()
    if colours == _HEVC_FULL_COLOURS:
        bits.take(1)  # its planes may be apart
    pixels = bits.exponential() * bits.exponential()
    return CodedFrames(2 * pixels if colours == _HEVC_FULL_COLOURS else pixels)


def _leb128(data: bytes, position: int) -> tuple[int, int]:
    """Return the number at `position`, and where it ends."""
    number = 0
    for index in range(8):
        byte = data[position + index]
        number |= (byte & 127) << 7 * index
        if byte < 128:  # noqa: PLR2004 - the highest bit says that another byte follows
            return number, position + index + 1
    raise IndexError("a number is too long")
