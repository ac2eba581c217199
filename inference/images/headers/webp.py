"""WebP: the canvas and the number of frames (RFC 9649)."""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack_from

from inference.images.headers.facts import HeaderFacts
from inference.results import CorruptImage

_CHUNK_BYTES = 16
_CHUNKS = 1_000
"""More chunks than `_CHUNKS` + one for each `_CHUNK_BYTES` of the file are refused."""
_FRAME_HEADER = 16
_LOSSLESS = frozenset({b"VP8L", b"ALPH"})
_GROUPS, _BLOCK, _GROUP_BITS = 65_536, 4, 30
"""At most so many groups of five prefix codes, each for squares of so many pixels. A group takes 20 bits, and
to choose among a thousand of them 10."""
_GROUP_MS = 0.0185
"""Milliseconds of a core that a group takes."""
_GROUP_PIXELS = 500
"""A group takes 8 kB, as much memory as so many pixels."""


def read(data: bytes) -> HeaderFacts:
    """Raise `CorruptImage` for what would take a decoder too long."""
    width, height = _size(data)
    frames = groups = 0
    coding = "WEBP"
    for kind, start, end in _chunks(data):
        frames += kind == b"ANMF"
        if kind in _LOSSLESS:
            coding = "WEBP lossless"
            groups = max(groups, _most_groups(width, height, end - start))
    return HeaderFacts(
        width,
        height,
        frames=max(frames, 1),
        coding=coding,
        overhead_ms=groups * _GROUP_MS,
        kept=width * height + groups * _GROUP_PIXELS,
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the chunks, also those of frames: kind, and where the content begins and ends."""
    position = 12
    for _ in range(_CHUNKS + len(data) // _CHUNK_BYTES):
        if position + 8 > len(data):
            return
        kind, length = unpack_from("<4sI", data, position)
        yield kind, position + 8, position + 8 + length
        # The chunks of a frame follow where it stands.
        position += 8 + (_FRAME_HEADER if kind == b"ANMF" else length + (length & 1))
    raise CorruptImage("the WebP has too many chunks")


def _most_groups(width: int, height: int, size: int) -> int:
    """Return how many groups of prefix codes there can be in `size` bytes of lossless coding.

    How many there are is known only to who decodes the picture that says which pixels use which group.
    """
    blocks = -(-width // _BLOCK) * -(-height // _BLOCK)
    return min(_GROUPS, blocks, 8 * size // _GROUP_BITS)


def _size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        wide, wide_high, high, high_high = unpack_from("<HBHB", data, 24)
        return (wide | wide_high << 16) + 1, (high | high_high << 16) + 1
    if kind == b"VP8L" and data[20] == 0x2F:  # noqa: PLR2004 - the format's signature byte
        bits: int = unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise CorruptImage("the WebP does not begin with a picture")
