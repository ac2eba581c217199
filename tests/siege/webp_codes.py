"""Lossless WebP files with as many groups of prefix codes as a few bytes can name (RFC 9649, section 3.7)."""

from __future__ import annotations

import struct

from tests.siege.genes import Genes

__all__ = ["webp_of_groups"]

_SYMBOLS_OF_LENGTHS = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
"""The order in which the lengths of the codes of code lengths stand."""
_REPEAT = 16


class _Bits:
    """Numbers, the lowest bit first."""

    def __init__(self) -> None:
        self._done = bytearray()
        self._bits = self._count = 0

    def put(self, *numbers: tuple[int, int]) -> None:
        """Append numbers, each given as (bits, number)."""
        for count, number in numbers:
            self._bits |= number << self._count
            self._count += count
            while self._count >= 8:
                self._done.append(self._bits & 255)
                self._bits, self._count = self._bits >> 8, self._count - 8

    def bytes(self) -> bytes:
        return bytes(self._done) + bytes([self._bits])


def webp_of_groups(genes: Genes) -> bytes:
    """Return a picture whose every square of 4 x 4 pixels may have a group of its own."""
    width, height = genes.number(64, 1_200), genes.number(64, 1_200)
    groups = min(genes.number(100, 65_000), 65_000)
    code = genes.choice((_one_symbol, _all_symbols, _long_codes))
    bits = _Bits()
    bits.put((8, 0x2F), (14, width - 1), (14, height - 1), (1, 0), (3, 0), (1, 0))
    cache = genes.choice((0, 11))
    bits.put((1, 1), (4, cache)) if cache else bits.put((1, 0))
    bits.put((1, 1), (3, 0), (1, 0))  # squares of 4 x 4 pixels choose a group
    for write in (_all_symbols, _all_symbols, _one_symbol, _one_symbol, _one_symbol):
        write(bits)
    for square in range(-(-width // 4) * -(-height // 4)):
        group = groups - 1 - square % groups
        bits.put((8, _reversed(group & 255)), (8, _reversed(group >> 8)))
    for _ in range(groups):
        for _ in range(4):
            code(bits)
        _one_symbol(bits)
    content = bits.bytes() + genes.bytes(4 * width * height if code is not _one_symbol else 1)
    content += bytes(len(content) % 2)
    body = b"WEBPVP8L" + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _reversed(byte: int) -> int:
    return int(f"{byte:08b}"[::-1], 2)


def _one_symbol(bits: _Bits) -> None:
    bits.put((1, 1), (1, 0), (1, 0), (1, 0))


def _all_symbols(bits: _Bits) -> None:
    """Give 256 symbols codes of 8 bits: one length, and then repetitions of it."""
    _put_lengths_of_lengths(bits, {8: 1, _REPEAT: 1})
    bits.put((1, 1), (3, 3), (8, 46 - 2))
    for symbol in (8, *[_REPEAT] * 42, *[8] * 3):
        bits.put((1, symbol == _REPEAT))
        if symbol == _REPEAT:
            bits.put((2, 3))


def _long_codes(bits: _Bits) -> None:
    """Give 16 symbols codes of 1 to 15 bits."""
    _put_lengths_of_lengths(bits, dict.fromkeys(range(1, 17), 4))
    bits.put((1, 1), (3, 2), (6, 16 - 2))
    for length in (*range(1, 16), 15):
        bits.put((4, int(f"{length - 1:04b}"[::-1], 2)))


def _put_lengths_of_lengths(bits: _Bits, lengths: dict[int, int]) -> None:
    bits.put((1, 0))
    last = max(at for at, symbol in enumerate(_SYMBOLS_OF_LENGTHS) if symbol in lengths)
    listed = _SYMBOLS_OF_LENGTHS[: max(last + 1, 4)]
    bits.put((4, len(listed) - 4), *[(3, lengths.get(symbol, 0)) for symbol in listed])
