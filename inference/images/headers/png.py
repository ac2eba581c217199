"""PNG and APNG: the header chunk, and how many chunks and frames there are (W3C PNG, third edition)."""

from __future__ import annotations

from collections import Counter
from struct import unpack_from

from inference.images.headers.facts import HeaderFacts
from inference.results import CorruptImage

_CHUNK_BYTES = 512
_CHUNKS = 5_000
"""More chunks than `_CHUNKS` + one for each `_CHUNK_BYTES` are refused: Pillow reads them one by one."""
_COMPRESSED = 64
"""Compressed colour profiles and texts: each may inflate to 1 MiB before Pillow stops it."""
_COMPRESSED_MS, _CHUNK_MS = 1.5, 0.005
"""Milliseconds of a core for each of these, and for each chunk."""
_RGB, _GREY_ALPHA, _RGBA = 2, 4, 6
_DEEP = {_RGB: "PNG of 48 bits", _RGBA: "PNG of 64 bits"}


def read(data: bytes) -> HeaderFacts:
    """Raise `CorruptImage` for what would take a decoder too long."""
    if data[12:16] != b"IHDR":
        raise CorruptImage("the PNG does not begin with its header")
    width, height, depth, colour = unpack_from(">IIBB", data, 16)
    kinds = _count_chunks(data)
    if kinds[b"IHDR"] > 1:
        raise CorruptImage("the PNG has two headers")
    compressed = sum(kinds[kind] for kind in (b"iCCP", b"zTXt", b"iTXt"))
    if compressed > _COMPRESSED:
        raise CorruptImage(f"the PNG has more than {_COMPRESSED} compressed texts and profiles")
    has_alpha = colour in (_GREY_ALPHA, _RGBA) or b"tRNS" in kinds
    coding = "PNG with alpha" if has_alpha else "PNG"
    if depth == 16:  # noqa: PLR2004 - bits of each colour
        coding = _DEEP.get(colour, coding)
    frames = max(kinds[b"fcTL"], 1) if kinds[b"acTL"] else 1
    overhead_ms = (compressed * _COMPRESSED_MS + kinds.total() * _CHUNK_MS) / frames
    return HeaderFacts(width, height, frames=frames, coding=coding, overhead_ms=overhead_ms)


def _count_chunks(data: bytes) -> Counter[bytes]:
    """Count the chunks up to the end of the picture, by their kinds."""
    most = _CHUNKS + len(data) // _CHUNK_BYTES
    kinds: Counter[bytes] = Counter()
    position = 8
    for _ in range(most):
        if position + 8 > len(data):
            return kinds
        length, kind = unpack_from(">I4s", data, position)
        position += 12 + length
        kinds[kind] += 1
        if kind == b"IEND":
            return kinds
    raise CorruptImage(f"the PNG has more than {most:,} chunks")
