"""GIF, WebP, BMP and TIFF files that may cost much to decode."""

from __future__ import annotations

import struct
from typing import Any

from PIL import Image

from tests.inference.hostile import bmp, encoded, exif_of_fractions, tiff
from tests.siege import pixels
from tests.siege.genes import Genes
from tests.siege.jpeg_files import with_scans
from tests.siege.profiles import costly_profile
from tests.siege.webp_codes import webp_of_groups

__all__ = ["bmp_file", "gif_file", "tiff_file", "webp_file"]

_COMPRESSIONS = (
    "raw",
    "tiff_lzw",
    "tiff_adobe_deflate",
    "packbits",
    "jpeg",
    "zstd",
    "webp",
    "group4",
    "lzma",
)


def gif_file(genes: Genes) -> bytes:
    """Return an animation whose frames repeat, each with its own place, palette and way to end."""
    width, height = pixels.size(genes, 50_000_000)
    if genes.chance(0.3):
        return encoded(pixels.picture(genes, "L", width, height).convert("P"), "GIF")
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + genes.bytes(768)
    wide, high = min(genes.number(1, width), width), min(genes.number(1, height), height)
    part = encoded(pixels.picture(genes, "L", wide, high).convert("P"), "GIF", interlace=genes.chance(0.5))
    image = part[part.index(b"\x2c\0\0\0\0", 13 + 768 if part[10] & 0x80 else 13) : -1]
    frames: list[bytes] = []
    for _ in range(genes.choice((1, 2, 3))):
        ends = genes.choice((0, 1, 2, 3)) << 2 | genes.choice((0, 1))
        frames.append(
            b"\x21\xf9\x04" + bytes([ends]) + b"\x01\0" + bytes([genes.choice((0, 255))]) + b"\0" + image
        )
    times = min(genes.number(1, 10_000), 3_000_000 // len(image) + 1)
    return screen + b"".join(frames[i % len(frames)] for i in range(times)) + b"\x3b"


def webp_file(genes: Genes) -> bytes:
    if genes.chance(0.2):
        return webp_of_groups(genes)
    mode = genes.choice(("RGB", "RGBA"))
    options: dict[str, Any] = {
        "quality": genes.number(0, 100),
        "method": genes.choice((0, 0, 2)),
        "lossless": genes.chance(0.5),
        "alpha_quality": genes.number(0, 100),
    }
    if genes.chance(0.3):
        options["icc_profile"] = costly_profile(genes, "RGB")
    if genes.chance(0.2):
        options["exif"] = exif_of_fractions(genes.number(1, 60_000), genes.choice((274, 282)))
    width, height = pixels.size(
        genes, genes.choice((100_000, 1_000_000, 16_000_000, 50_000_000)), longest=16_383
    )
    shot = pixels.picture(genes, mode, width, height)
    if genes.chance(0.3) and width * height <= 1_000_000:
        rest = [pixels.picture(genes, mode, width, height) for _ in range(3)] * genes.number(1, 20)
        return encoded(shot, "WEBP", save_all=True, append_images=rest, **options)
    return encoded(shot, "WEBP", **options)


def bmp_file(genes: Genes) -> bytes:
    width, height = pixels.size(genes, genes.choice((1_000_000, 2_000_000, 50_000_000)))
    if genes.chance(0.6):
        depth, compression = genes.choice(((8, 1), (4, 2)))
        codes = genes.choice(
            (
                b"\1\7",
                b"\2\7",
                b"\xff\7",
                b"\0\3\1\2\3\0",
                b"\0\0",
                b"\0\2\1\0",
                b"\0\2\0\1",
                b"\0\xff" + bytes(256),
            )
        )
        count = min(genes.number(1, 4_000_000), 4_000_000 // len(codes))
        return bmp(width, height, depth, compression, codes * count + b"\0\1")
    depth = genes.choice((1, 4, 8, 16, 24, 32))
    return bmp(width, height, depth, 0, bytes(min((width * depth + 31) // 32 * 4 * height, 9_000_000)))


def tiff_file(genes: Genes) -> bytes:
    if genes.chance(0.3):
        return _tiff_of_pieces(genes)
    mode = genes.choice(("L", "RGB", "RGBA", "CMYK", "1", "P", "I;16", "F", "LAB"))
    width, height = pixels.size(genes, genes.choice((1_000_000, 12_000_000, 50_000_000)))
    source = mode if mode in ("RGB", "RGBA", "CMYK") else "L"
    shot = pixels.picture(genes, source, width, height)
    if mode == "LAB":
        shot = Image.merge("LAB", (shot, shot, shot))
    elif mode != source:
        shot = shot.convert("I").convert(mode) if mode == "I;16" else shot.convert(mode)
    options: dict[str, Any] = {"compression": genes.choice(_COMPRESSIONS)}
    strip = genes.number(1, height)
    options["tiffinfo"] = {278: strip}
    if genes.chance(0.3) and source == mode:
        options["icc_profile"] = costly_profile(genes, mode if mode != "RGBA" else "RGB")
    if genes.chance(0.3):
        options["tiffinfo"][317] = 2
    return encoded(shot, "TIFF", **options)


def _tiff_of_pieces(genes: Genes) -> bytes:
    """Return a TIFF of many strips or tiles that are all the same bytes."""
    width, height = pixels.size(genes, genes.choice((50_000, 1_000_000, 50_000_000)))
    high = genes.number(1, height)
    is_jpeg = genes.chance(0.5)
    if is_jpeg:
        shot = pixels.picture(genes, "RGB", width, high)
        piece = with_scans(genes, encoded(shot, "JPEG", progressive=True, quality=genes.number(1, 90)))
    else:
        piece = genes.bytes(3 * width * min(high, 100))
    count = -(-height // high)
    if genes.chance(0.3):  # each row of each colour, or each pixel, for itself
        count = min(genes.number(1, 200_000), 4 * height)
    entries = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 8),
        259: (3, 1, 7 if is_jpeg else 1),
        262: (3, 1, 6 if is_jpeg else 1),
        277: (3, 1, 3 if is_jpeg else 1),
        278: (4, 1, high),
    }
    tail = 14 + 12 * (len(entries) + 2)
    starts, sizes = [tail + 8 * count] * count, [len(piece)] * count
    entries[273] = (4, count, tail if count > 1 else starts[0])
    entries[279] = (4, count, tail + 4 * count if count > 1 else sizes[0])
    return tiff(entries, tail=struct.pack(f"<{2 * count}I", *starts, *sizes) + piece)
