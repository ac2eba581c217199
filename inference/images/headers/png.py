"""PNG and APNG: the header chunk, and how many chunks and frames there are (W3C PNG, third edition)."""

from __future__ import annotations

from struct import unpack_from

from inference.images.headers.facts import HeaderFacts
from inference.results import CorruptImage

_CHUNK_BYTES = 512
_CHUNKS = 5_000
"""More chunks than `_CHUNKS` + one for each `_CHUNK_BYTES` are refused: Pillow reads them one by one."""
_COMPRESSED = 64
"""Compressed colour profiles and texts: each may inflate to 1 MiB before Pillow stops it."""


def read(data: bytes) -> HeaderFacts:
    """Raise `CorruptImage` for what would take a decoder too long."""
    if data[12:16] != b"IHDR":
        raise CorruptImage("the PNG does not begin with its header")
    width, height = unpack_from(">II", data, 16)
    most = _CHUNKS + len(data) // _CHUNK_BYTES
    position, chunks, compressed, frames = 8, 0, 0, 0
    animated = False
    while position + 8 <= len(data):
        length, kind = unpack_from(">I4s", data, position)
        position += 12 + length
        chunks += 1
        if chunks > most:
            raise CorruptImage(f"the PNG has more than {most:,} chunks")
        if kind in (b"iCCP", b"zTXt", b"iTXt"):
            compressed += 1
            if compressed > _COMPRESSED:
                raise CorruptImage(f"the PNG has more than {_COMPRESSED} compressed texts and profiles")
        elif kind == b"acTL":
            animated = True
        elif kind == b"fcTL":
            frames += 1
        elif kind == b"IEND":
            break
    return HeaderFacts(width, height, frames=max(frames, 1) if animated else 1)
