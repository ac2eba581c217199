"""Files built to hurt their decoder, each from a few lines; nobody has to keep the monsters themselves."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

__all__ = [
    "apng_of_frames",
    "bmp",
    "box",
    "chunk",
    "encoded",
    "exif_of_fractions",
    "gif_of_frames",
    "heic_grid",
    "jpeg_of_scans",
    "jpeg_segments",
    "png",
    "tiff",
    "tiff_of_directories",
    "webp_of_frames",
]


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def jpeg_of_scans(width: int, height: int, scans: int) -> bytes:
    """A progressive JPEG that refines nothing, over and over."""
    whole = encoded(Image.new("L", (width, height), 128), "JPEG", progressive=True)
    starts = [i for i in range(len(whole) - 1) if whole[i : i + 2] == b"\xff\xda"]
    ends = [*starts[1:], len(whole) - 2]
    # The last scan of libjpeg's own script refines the coefficients 1..63, and may follow itself.
    tables = whole.rfind(b"\xff\xc4", 0, starts[-1])
    again = whole[tables : ends[-1]]
    return whole[:-2] + again * (scans - len(starts)) + b"\xff\xd9"


def jpeg_segments(*segments: bytes, at: int = 2) -> bytes:
    """A small JPEG with `segments` put in after its first two bytes."""
    whole = encoded(Image.new("RGB", (64, 64), "teal"), "JPEG")
    return whole[:at] + b"".join(segments) + whole[at:]


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    """A chunk of a PNG, with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(
    width: int, height: int, *extra: bytes, depth: int = 8, colour: int = 2, pixels: bytes | None = None
) -> bytes:
    """A PNG with `extra` chunks before its pixels; without `pixels`, a few that are too few."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000 if pixels is None else pixels)
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *extra, chunk(b"IDAT", data), chunk(b"IEND")]
    return b"".join(parts)


def apng_of_frames(width: int, height: int, frames: int) -> bytes:
    whole = zlib.compress((b"\0" + b"\x80" * 3 * width) * height)

    def control(number: int) -> bytes:
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, 1, 100, 0, 0))

    rest = b"".join(
        control(2 * i - 1) + chunk(b"fdAT", struct.pack(">I", 2 * i) + whole) for i in range(1, frames)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"acTL", struct.pack(">II", frames, 0)),
            control(0),
            chunk(b"IDAT", whole),
            rest,
            chunk(b"IEND"),
        ]
    )


def gif_of_frames(width: int, height: int, frames: int) -> bytes:
    """Frames of one pixel, each on a canvas that a decoder composes anew."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\xff\0\0\0\xff\0"
    control = b"\x21\xf9\x04\x08\xff\xff\x00\x00"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return screen + (control + frame) * frames + b"\x3b"


def webp_of_frames(width: int, height: int, frames: int) -> bytes:
    still = encoded(Image.new("RGB", (1, 1), "teal"), "WEBP", quality=0)
    bits = still[12:]
    place = struct.pack("<IHBI", 0, 0, 0, 0)[:6] + bytes(6) + b"\x0a\0\0" + b"\0"
    frame = b"ANMF" + struct.pack("<I", len(place) + len(bits)) + place + bits
    canvas = struct.pack("<I", 2) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = (
        b"WEBPVP8X" + struct.pack("<I", 10) + canvas + b"ANIM" + struct.pack("<IIH", 6, 0, 0) + frame * frames
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff(entries: dict[int, tuple[int, int, int]], *, tail: bytes = b"") -> bytes:
    """A TIFF of one directory: tag -> (type, count, value or offset); `tail` starts at byte 14 + 12n."""
    listed = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    return b"II\x2a\0\x08\0\0\0" + struct.pack("<H", len(entries)) + listed + bytes(4) + tail


def tiff_of_directories(count: int, *, compression: str = "raw") -> bytes:
    """A good first page, and then a long chain of pages."""
    whole = bytearray(encoded(Image.new("RGB", (64, 64), "teal"), "TIFF", compression=compression))
    (first,) = struct.unpack_from("<I", whole, 4)
    (entries,) = struct.unpack_from("<H", whole, first)
    following = first + 2 + 12 * entries
    page = struct.pack("<HHHII", 1, 256, 4, 1, 64)
    start = len(whole)
    struct.pack_into("<I", whole, following, start)
    size = len(page) + 4
    pages = b"".join(page + struct.pack("<I", start + size * (i + 1)) for i in range(count))
    return bytes(whole) + pages[:-4] + bytes(4)


def bmp(width: int, height: int, depth: int, compression: int, pixels: bytes) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, depth, compression, 0, 0, 0, 256, 0)
    palette = bytes(1024) if depth <= 8 else b""
    offset = 14 + 40 + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + header + palette + pixels


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


def exif_of_fractions(count: int, tag: int) -> bytes:
    """EXIF data with one entry of `count` fractions, each of which Pillow makes an object of."""
    directory = struct.pack("<H", 1) + struct.pack("<HHII", tag, 5, count, 26) + bytes(4)
    return b"Exif\0\0II\x2a\0\x08\0\0\0" + directory + struct.pack("<II", 1, 1) * count


def heic_grid(width: int, height: int) -> bytes:
    """A HEIC whose picture is a grid that claims `width` x `height`, while every `ispe` says 64 x 64."""
    grid = struct.pack(">BBBBII", 0, 1, 0, 0, width, height)
    full = bytes(4)
    info = box(b"infe", struct.pack(">BBBBHH4s", 2, 0, 0, 0, 1, 0, b"grid"), b"\0")
    meta = box(
        b"meta",
        full,
        box(b"hdlr", full, bytes(4), b"pict", bytes(13)),
        box(b"pitm", full, struct.pack(">H", 1)),
        box(b"iloc", struct.pack(">BBBBHHHHHHII", 1, 0, 0, 0, 0x4400, 1, 1, 1, 0, 1, 0, len(grid))),
        box(b"iinf", full, struct.pack(">H", 1), info),
        box(
            b"iprp",
            box(b"ipco", box(b"ispe", full, struct.pack(">II", 64, 64))),
            box(b"ipma", full, struct.pack(">IHBB", 1, 1, 1, 1)),
        ),
        box(b"idat", grid),
    )
    return box(b"ftyp", b"heic", bytes(4), b"mif1heic") + meta
