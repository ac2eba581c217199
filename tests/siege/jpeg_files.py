"""JPEG files that may cost much to decode."""

from __future__ import annotations

import struct
from typing import Any

from tests.inference.hostile import encoded, exif_of_fractions
from tests.siege import pixels
from tests.siege.genes import Genes
from tests.siege.profiles import costly_profile

__all__ = ["jpeg_file", "with_scans"]

_MOST_BYTES = 5_000_000


def jpeg_file(genes: Genes) -> bytes:
    """Return a JPEG: baseline, progressive with scans again and again, or arithmetic."""
    mode = genes.choice(("L", "RGB", "CMYK"))
    width, height = pixels.size(genes, genes.choice((1_000_000, 12_000_000, 50_000_000)))
    options: dict[str, Any] = {"quality": genes.number(1, 99), "progressive": genes.chance(0.5)}
    if genes.chance(0.3):
        options["restart_marker_blocks"] = genes.number(1, 1_000)
    if mode == "RGB":
        options["subsampling"] = genes.choice((0, 1, 2))
    if genes.chance(0.3):
        options["icc_profile"] = costly_profile(genes, mode)[:2_000_000]
    data = encoded(pixels.picture(genes, mode, width, height), "JPEG", **options)
    if options["progressive"]:
        data = with_scans(genes, data)
    elif genes.chance(0.3):
        data = _arithmetic(genes, data)
    if genes.chance(0.3):
        data = _with_segments(genes, data)
    if genes.chance(0.3):
        data = _with_sampling(genes, data)
    return data


def with_scans(genes: Genes, data: bytes) -> bytes:
    """Repeat some of the scans, with their tables; a scan that refines may follow itself."""
    starts = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]
    first = starts[int(genes.fraction() * len(starts))]
    tables = data.rfind(b"\xff\xc4", 0, first)
    end = next((start for start in starts if start > first), len(data) - 2)
    again = data[tables if tables > 0 and genes.chance(0.7) else first : end]
    times = min(genes.number(0, 3_000), _MOST_BYTES // max(len(again), 1))
    return data[:-2] + again * times + b"\xff\xd9"


def _arithmetic(genes: Genes, data: bytes) -> bytes:
    """The same picture said to be coded arithmetically, whose decoder makes something of any bytes."""
    scan = data.index(b"\xff\xda")
    (length,) = struct.unpack_from(">H", data, scan + 2)
    head = data[: scan + 2 + length].replace(b"\xff\xc0", b"\xff\xc9", 1)
    return head + genes.bytes(genes.number(1, 2_000_000)).replace(b"\xff", b"\xfe") + b"\xff\xd9"


def _with_segments(genes: Genes, data: bytes) -> bytes:
    exif = exif_of_fractions(genes.number(1, 8_000), genes.choice((274, 282)))
    kinds = {
        b"\xff\xe1": exif,
        b"\xff\xed": b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0" * genes.number(1, 5_000),
        b"\xff\xfe": bytes(genes.number(1, 60_000)),
        b"\xff\xdb": bytes([0, *[1] * 64]) * genes.number(1, 1_000),
        b"\xff\xe2": b"MPF\0" + genes.bytes(60),
        b"\xff\xdd": b"\0\1",
    }
    marker = genes.choice(list(kinds))
    segment = marker + struct.pack(">H", len(kinds[marker]) + 2) + kinds[marker]
    times = min(genes.number(1, 5_000), _MOST_BYTES // len(segment))
    at = 2 if genes.chance(0.7) else data.index(b"\xff\xda")
    return data[:at] + segment * times + data[at:]


def _with_sampling(genes: Genes, data: bytes) -> bytes:
    """Change how many samples of a colour are in a block, from 1 x 1 to 4 x 4."""
    frame = next(
        (data.find(marker) for marker in (b"\xff\xc0", b"\xff\xc2", b"\xff\xc9") if marker in data), -1
    )
    changed = bytearray(data)
    for component in range(data[frame + 9]):
        changed[frame + 11 + 3 * component] = genes.choice((0x11, 0x12, 0x21, 0x22, 0x41, 0x14, 0x44))
    return bytes(changed)
