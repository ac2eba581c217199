"""PNG and APNG files that may cost much to decode."""

from __future__ import annotations

import struct
import zlib

from tests.inference.hostile import chunk, exif_of_fractions
from tests.siege.genes import Genes
from tests.siege.profiles import costly_profile

__all__ = ["png_file"]

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_MOST_RAW = 400_000_000


def png_file(genes: Genes) -> bytes:
    """Return a PNG of any kind, mostly with pixels that cost few bytes."""
    width, height = _size(genes)
    colour = genes.choice((0, 2, 3, 4, 6))
    depth = genes.choice({0: (1, 2, 4, 8, 16), 3: (1, 2, 4, 8)}.get(colour, (8, 16)))
    interlaced = genes.chance(0.4)
    frames = genes.number(1, 5_000) if genes.chance(0.3) else 1
    pixels = _pixels(genes, width, height, depth * _CHANNELS[colour], interlaced)
    parts = [b"\x89PNG\r\n\x1a\n"]
    parts.append(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)))
    if frames > 1:
        parts.append(chunk(b"acTL", struct.pack(">II", frames, 0)))
    parts += _extras(genes, colour, depth)
    if frames > 1:
        parts.append(_control(genes, 0, width, height))
    parts += _cut(genes, pixels)
    for frame in range(1, frames):
        parts.append(_control(genes, 2 * frame - 1, width, height))
        parts.append(chunk(b"fdAT", struct.pack(">I", 2 * frame) + pixels))
        if sum(map(len, parts)) > 3_000_000:
            break
    return b"".join([*parts, chunk(b"IEND")])


def _size(genes: Genes) -> tuple[int, int]:
    pixels = genes.number(1_000, 50_000_000)
    width = genes.number(1, pixels) if genes.chance(0.3) else int(pixels**0.5)
    return max(width, 1), max(pixels // max(width, 1), 1)


def _pixels(genes: Genes, width: int, height: int, bits: int, interlaced: bool) -> bytes:
    rows = [(width, height)]
    if interlaced:
        rows = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in _PASSES]
    level = genes.choice((1, 6, 9))
    packer = zlib.compressobj(
        level, zlib.DEFLATED, 15, 9, genes.choice((zlib.Z_DEFAULT_STRATEGY, zlib.Z_RLE, zlib.Z_FIXED))
    )
    kinds = genes.choice(((0,), (1,), (2,), (3,), (4,), (0, 1, 2, 3, 4)))
    noise = genes.bytes(genes.choice((1, 7, 64, 1_000)))
    packed: list[bytes] = []
    raw = 0
    for wide, high in rows:
        if wide < 1 or high < 1:
            continue
        length = (wide * bits + 7) // 8
        row = (noise * (length // len(noise) + 1))[:length]
        block = b"".join(
            bytes([kinds[i % len(kinds)]]) + row
            for i in range(min(high, len(kinds) * max(1, 65_536 // length)))
        )
        most = min(high * (length + 1), _MOST_RAW - raw)
        raw += most
        packed.extend(packer.compress(block[: most - at]) for at in range(0, most, len(block)))
    return b"".join([*packed, packer.flush()])


def _extras(genes: Genes, colour: int, depth: int) -> list[bytes]:
    parts = []
    if colour == 3:
        parts.append(chunk(b"PLTE", genes.bytes(3 * min(2**depth, 256))))
    if genes.chance(0.3) and colour in (0, 2, 3):
        parts.append(chunk(b"tRNS", bytes({0: 2, 2: 6, 3: genes.number(1, 2**depth)}[colour])))
    mode = "L" if colour in (0, 4) else "RGB"
    if genes.chance(0.4):
        parts.append(chunk(b"iCCP", b"p\0\0" + zlib.compress(costly_profile(genes, mode))))
    if genes.chance(0.3):
        text = zlib.compress(bytes(genes.number(1, 1_048_576)), 9)
        kind = genes.choice((b"zTXt", b"iTXt", b"iCCP"))
        content = b"k\0\1\0\0\0" + text if kind == b"iTXt" else b"k\0\0" + text
        parts += [chunk(kind, content)] * genes.number(1, 64)
    if genes.chance(0.2):
        parts += [
            chunk(genes.choice((b"tEXt", b"gAMA", b"pHYs", b"xxXx")), b"k\0" + bytes(40))
        ] * genes.number(1, 6_000)
    if genes.chance(0.2):
        parts.append(chunk(b"eXIf", exif_of_fractions(genes.number(1, 60_000), genes.choice((274, 282)))[6:]))
    return parts


def _control(genes: Genes, number: int, width: int, height: int) -> bytes:
    ends, blend = genes.choice((0, 1, 2)) if number == 0 else 1, number % 2
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, 1, 100, ends, blend))


def _cut(genes: Genes, pixels: bytes) -> list[bytes]:
    size = genes.choice((1, 16, 600, 65_536, len(pixels)))
    size = max(size, len(pixels) // 5_000 + 1)
    return [chunk(b"IDAT", pixels[at : at + size]) for at in range(0, len(pixels), size)]
