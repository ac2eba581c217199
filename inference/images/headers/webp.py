"""WebP: the canvas and the number of frames (RFC 9649)."""

from __future__ import annotations

from struct import unpack_from

from inference.images.headers.facts import HeaderFacts
from inference.results import CorruptImage

_CHUNK_BYTES = 16
_CHUNKS = 1_000
"""More chunks than `_CHUNKS` + one for each `_CHUNK_BYTES` of the file are refused."""


def read(data: bytes) -> HeaderFacts:
    """Raise `CorruptImage` for what would take a decoder too long."""
    width, height = _size(data)
    most = _CHUNKS + len(data) // _CHUNK_BYTES
    position, frames, chunks = 12, 0, 0
    while position + 8 <= len(data):
        kind, length = unpack_from("<4sI", data, position)
        position += 8 + length + (length & 1)
        frames += kind == b"ANMF"
        chunks += 1
        if chunks > most:
            raise CorruptImage(f"the WebP has more than {most:,} chunks")
    return HeaderFacts(width, height, frames=max(frames, 1))


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
