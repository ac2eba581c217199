"""AV1 written bit by bit, also in ways that no encoder would."""

from __future__ import annotations

import struct

from tests.inference.heif import HeifItem, heif, ispe
from tests.inference.hostile import box

__all__ = ["avif_of", "frame", "sequence"]

_SEQUENCE, _FRAME = 1, 6
_SIDE_BITS = 16
_BLOCK = 128
_WIDEST_TILE = 4096 // _BLOCK
_LARGEST_TILE = 4096 * 2304 // _BLOCK**2


class _Bits:
    def __init__(self) -> None:
        self._bits = ""

    def put(self, *numbers: tuple[int, int]) -> None:
        """Append numbers, each given as (bits, number)."""
        self._bits += "".join(f"{number:0{count}b}" for count, number in numbers if count)

    def bytes(self) -> bytes:
        whole = self._bits + "0" * (-len(self._bits) % 8)
        return int(whole, 2).to_bytes(len(whole) // 8, "big")


def _unit(kind: int, content: bytes) -> bytes:
    size, left = b"", len(content)
    while left > 127:
        size, left = size + bytes([left & 127 | 128]), left >> 7
    return bytes([kind << 3 | 2]) + size + bytes([left]) + content


def sequence(width: int, height: int) -> bytes:
    """A sequence header that says so, and leaves 16 bits for the sides that frames state."""
    bits = _Bits()
    bits.put((3, 0), (1, 0), (1, 0), (1, 0), (1, 0), (5, 0), (12, 0), (5, 8), (1, 0))
    bits.put((4, _SIDE_BITS - 1), (4, _SIDE_BITS - 1), (_SIDE_BITS, width - 1), (_SIDE_BITS, height - 1))
    bits.put((1, 0), (1, 1), *[(1, 0)] * 7, (1, 0), (1, 0))  # few tools, none of them chosen by frames
    bits.put(*[(1, 0)] * 3, (1, 0), (1, 0), (1, 0), (1, 1), (2, 0), (1, 0), (1, 0), (1, 1))
    return _unit(_SEQUENCE, bits.bytes())


def frame(width: int, height: int, *, states_its_size: bool = True) -> bytes:
    """A frame of one colour."""
    bits = _Bits()
    bits.put((1, 0), (2, 0), (1, 1), (1, 0), (1, int(states_its_size)))
    if states_its_size:
        bits.put((_SIDE_BITS, width - 1), (_SIDE_BITS, height - 1))
    bits.put((1, 0), (1, 0))
    tiles = _put_tiles(bits, -(-width // _BLOCK), -(-height // _BLOCK))
    bits.put((8, 100), *[(1, 0)] * 6, (6, 0), (6, 0), (3, 0), (1, 0), (1, 1), (1, 0))
    content = bits.bytes() + (b"\0" if tiles > 1 else b"")
    data = bytes(max(100, width * height // 10_000 // tiles))
    content += (struct.pack("<I", len(data) - 1) + data) * (tiles - 1) + data
    return _unit(_FRAME, content)


def _put_tiles(bits: _Bits, columns: int, rows: int) -> int:
    """Say that there are as few tiles as there may be, and return how many."""
    wide = _steps(_WIDEST_TILE, columns)
    high = max(max(wide, _steps(_LARGEST_TILE, columns * rows)) - wide, 0)
    bits.put((1, 1), (int(wide < _steps(1, min(columns, 64))), 0), (int(high < _steps(1, min(rows, 64))), 0))
    tile_columns, tile_rows = (
        -(-blocks // -(-blocks // (1 << steps))) for blocks, steps in ((columns, wide), (rows, high))
    )
    if tile_columns * tile_rows > 1:
        bits.put((_steps(1, tile_columns) + _steps(1, tile_rows), 0), (2, 3))
    return tile_columns * tile_rows


def _steps(block: int, whole: int) -> int:
    """How often `block` has to be doubled to be as large as `whole`."""
    return max(-(-whole // block) - 1, 0).bit_length()


def avif_of(content: bytes, width: int, height: int) -> bytes:
    """An AVIF of one item that says it is of this size."""
    configuration = box(b"av1C", bytes([0x81, 8, 12, 0]))
    depths = box(b"pixi", bytes(4), bytes([3, 8, 8, 8]))
    item = HeifItem(b"av01", content, (ispe(width, height), configuration, depths))
    return heif(item, primary=1, brand=b"avif")
