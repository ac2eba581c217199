"""The sizes that a coded picture really has: sequence headers of HEVC (ITU-T H.265) and AV1.

What the boxes around a coded picture say of its size is a claim. The decoder obeys the picture's own sequence
header, and decodes every frame that is there, whether it is shown or not.
"""

from __future__ import annotations

from dataclasses import dataclass

from inference.results import CorruptImage

_UNITS = 50_000
"""Units in the whole file that are walked through; an encoder writes a few for each tile."""
_HEADER_BYTES = 256
"""A sequence header ends its sizes within 100 bytes."""

_HEVC_SEQUENCE, _HEVC_FIRST_OTHER = 33, 32
_AV1_SEQUENCE, _AV1_FRAMES = 1, frozenset({3, 6})
_MOST_EXPONENT = 31


@dataclass(slots=True)
class CodedFrames:
    """What coded data hold: the largest size of a frame (pixels), and how many frames."""

    pixels: int = 0
    frames: int = 0

    def merge(self, other: CodedFrames) -> None:
        self.pixels = max(self.pixels, other.pixels)
        self.frames += other.frames


class _Bits:
    """Reads numbers from the first bit on. Raises IndexError at the end."""

    def __init__(self, data: bytes) -> None:
        self._data = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise IndexError("past the end")
        return self._data >> self._left & (1 << count) - 1

    def exponential(self) -> int:
        """Read an Exp-Golomb number, which AV1 calls uvlc."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _MOST_EXPONENT:
                raise IndexError("a number is too long")
        return (1 << zeros) - 1 + self.take(zeros)


class CodedVideoReader:
    """Reads the coded pictures of one file.

    Raises CorruptImage for too many pieces, IndexError for what is cut short.
    """

    def __init__(self) -> None:
        self._units = 0

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
            if kind in _AV1_FRAMES:
                found.frames += 1
            elif kind == _AV1_SEQUENCE:
                unit = data[position : position + min(size, _HEADER_BYTES)]
                found.pixels = max(found.pixels, _av1_pixels(_Bits(unit)))
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
    bits = _Bits(unit[2:_HEADER_BYTES].replace(b"\0\0\3", b"\0\0"))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 88 + 8)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    bits.take(2 * (8 - layers) if layers else 0)
    bits.take(sum(88 * profile + 8 * level for profile, level in present))
    bits.exponential()
    if bits.exponential() == 3:  # noqa: PLR2004 - 4:4:4 may have its planes apart
        bits.take(1)
    return CodedFrames(bits.exponential() * bits.exponential())


def _leb128(data: bytes, position: int) -> tuple[int, int]:
    """Return the number at `position`, and where it ends."""
    number = 0
    for index in range(8):
        byte = data[position + index]
        number |= (byte & 127) << 7 * index
        if byte < 128:  # noqa: PLR2004 - the highest bit says that another byte follows
            return number, position + index + 1
    raise IndexError("a number is too long")


def _av1_pixels(bits: _Bits) -> int:
    bits.take(3 + 1)
    if bits.take(1):  # the short header of a still picture
        bits.take(5)
    else:
        delay_size = 0
        if bits.take(1):  # timing
            bits.take(64)
            if bits.take(1):
                bits.exponential()
            if bits.take(1):  # the decoder's model
                delay_size = bits.take(5) + 1
                bits.take(32 + 5 + 5)
        display_delay = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            if bits.take(5) > 7:  # noqa: PLR2004 - higher levels have a tier
                bits.take(1)
            if delay_size and bits.take(1):
                bits.take(2 * delay_size + 1)
            if display_delay and bits.take(1):
                bits.take(4)
    wide, high = bits.take(4) + 1, bits.take(4) + 1
    return (bits.take(wide) + 1) * (bits.take(high) + 1)
