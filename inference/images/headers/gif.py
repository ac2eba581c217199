"""GIF: the canvas and the number of frames (GIF89a specification)."""

from __future__ import annotations

from struct import unpack_from

from inference.images.headers.facts import HeaderFacts
from inference.results import CorruptImage

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_HAS_PALETTE = 0x80
_BLOCK_BYTES = 32
_BLOCKS = 20_000
"""More data blocks than `_BLOCKS` + one for each `_BLOCK_BYTES` of the file are refused: Pillow reads them
one by one, and an encoder fills them to 255 bytes."""


def read(data: bytes) -> HeaderFacts:
    """Raise `CorruptImage` for what would take a decoder too long.

    The size is the canvas with every frame on it: a decoder widens the canvas for a frame that sticks out.
    """
    width, height, flags = unpack_from("<HHB", data, 6)
    position = 13 + _palette(flags)
    left = _BLOCKS + len(data) // _BLOCK_BYTES
    frames = 0
    while position < len(data) and data[position] != _TRAILER:
        kind = data[position]
        if kind == _IMAGE:
            x, y, wide, high, flags = unpack_from("<HHHHB", data, position + 1)
            width, height = max(width, x + wide), max(height, y + high)
            frames += 1
            position, left = _after_blocks(data, position + 11 + _palette(flags), left)
        elif kind == _EXTENSION:
            position, left = _after_blocks(data, position + 2, left)
        else:  # Pillow skips stray bytes too
            position, left = position + 1, left - 1
        if left < 0:
            raise CorruptImage("the GIF is cut into too many blocks")
    if not frames:
        raise CorruptImage("the GIF ends before its picture begins")
    return HeaderFacts(width, height, frames=frames)


def _after_blocks(data: bytes, position: int, left: int) -> tuple[int, int]:
    """Return where a run of data blocks ends, and how many more blocks are allowed."""
    while position < len(data) and data[position] and left >= 0:
        position += 1 + data[position]
        left -= 1
    return position + 1, left - 1


def _palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & _HAS_PALETTE else 0
