"""Gives every image bytes of its own, so that no remembered verdict flatters a figure.

Imports nothing heavy: the process that stands for the bot has it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

__all__ = ["PLACE", "stamp", "unique"]

PLACE = b"whatsit-bench-number-0000000000000000"
"""What a WebP carries as its XMP, for `stamp` to write the number over."""


def unique(bases: Sequence[bytes], start: int, count: int) -> Iterator[bytes]:
    """`count` images with bytes of their own, from `bases` in turn; each is made when it is asked for."""
    for number in range(start, start + count):
        yield stamp(bases[number % len(bases)], number)


def stamp(data: bytes, number: int) -> bytes:
    """The same picture with `number` in its metadata; its pixels are not touched.

    Raises ValueError for bytes that `photographs.make` did not write.
    """
    note = b"whatsit-bench-number-%016x" % number
    if data.startswith(b"\xff\xd8\xff\xe0"):  # JPEG: a comment segment after the JFIF header
        at = 4 + int.from_bytes(data[4:6], "big")
        return b"".join((data[:at], b"\xff\xfe", (len(note) + 2).to_bytes(2, "big"), note, data[at:]))
    if data.startswith(b"\x89PNG\r\n\x1a\n"):  # PNG: a text chunk after IHDR, which always ends at byte 33
        chunk = b"tEXtComment\0" + note
        size = (len(chunk) - 4).to_bytes(4, "big")
        return b"".join((data[:33], size, chunk, zlib.crc32(chunk).to_bytes(4, "big"), data[33:]))
    at = data.rfind(PLACE)
    if at < 0:
        raise ValueError("not a picture that the benchmark made: there is no place for its number")
    return b"".join((data[:at], note, data[at + len(PLACE) :]))
