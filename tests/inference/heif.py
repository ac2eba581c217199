"""HEIC and AVIF files put together from coded pictures, also in ways that no encoder would."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import pillow_heif
from PIL import Image

from tests.inference.hostile import box, encoded

__all__ = ["HeifItem", "coded_item", "grid_item", "heif", "ispe", "overlay_item"]

pillow_heif.register_heif_opener()


@dataclass(frozen=True, slots=True)
class HeifItem:
    """An item: its properties are whole boxes, what it is made of and is alpha of are numbers from 1."""

    kind: bytes
    content: bytes
    properties: tuple[bytes, ...]
    made_of: tuple[int, ...] = ()
    alpha_of: int | None = None


def ispe(width: int, height: int) -> bytes:
    return box(b"ispe", bytes(4), struct.pack(">II", width, height))


def coded_item(
    picture: Image.Image, form: str = "HEIF", *, says: tuple[int, int] | None = None, **options: Any
) -> HeifItem:
    """A coded picture, whose property `ispe` may say something else than its sequence header."""
    whole = encoded(picture, form, **options)
    kind, configuration = (b"hvc1", b"hvcC") if form == "HEIF" else (b"av01", b"av1C")
    at = whole.index(configuration) - 4
    (length,) = struct.unpack_from(">I", whole, at)
    content = whole[whole.index(b"mdat") + 4 :]
    return HeifItem(kind, content, (ispe(*(says or picture.size)), whole[at : at + length]))


def grid_item(rows: int, columns: int, size: tuple[int, int], tiles: tuple[int, ...]) -> HeifItem:
    head = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *size)
    return HeifItem(b"grid", head, (ispe(*size),), made_of=tiles)


def overlay_item(size: tuple[int, int], parts: tuple[int, ...]) -> HeifItem:
    head = struct.pack(">BB4HII", 0, 1, 0, 0, 0, 0xFFFF, *size) + bytes(8) * len(parts)
    return HeifItem(b"iovl", head, (ispe(*size),), made_of=parts)


def heif(*items: HeifItem, primary: int, brand: bytes = b"heic") -> bytes:
    """A file of these items, numbered from 1."""
    full = bytes(4)
    properties = list(dict.fromkeys(each for item in items for each in item.properties))
    uses = b"".join(
        struct.pack(">HB", number, len(item.properties))
        + b"".join(struct.pack(">H", properties.index(each) + 1) for each in item.properties)
        for number, item in enumerate(items, 1)
    )
    references = b""
    for number, item in enumerate(items, 1):
        if item.made_of:
            to = struct.pack(f">{len(item.made_of)}H", *item.made_of)
            references += box(b"dimg", struct.pack(">HH", number, len(item.made_of)), to)
        if item.alpha_of:
            references += box(b"auxl", struct.pack(">HHH", number, 1, item.alpha_of))
    kinds = b"".join(
        box(b"infe", struct.pack(">BBBBHH4s", 2, 0, 0, 0, number, 0, item.kind), b"\0")
        for number, item in enumerate(items, 1)
    )
    places, content = b"", b""
    for number, item in enumerate(items, 1):
        places += struct.pack(">HHHHII", number, 1, 0, 1, len(content), len(item.content))
        content += item.content
    meta = box(
        b"meta",
        full,
        box(b"hdlr", full, bytes(4), b"pict", bytes(13)),
        box(b"pitm", full, struct.pack(">H", primary)),
        box(b"iloc", struct.pack(">BBBBHH", 1, 0, 0, 0, 0x4400, len(items)), places),
        box(b"iinf", full, struct.pack(">H", len(items)), kinds),
        box(
            b"iprp",
            box(b"ipco", *properties),
            box(b"ipma", struct.pack(">BBBBI", 0, 0, 0, 1, len(items)), uses),
        ),
        box(b"iref", full, references),
        box(b"idat", content),
    )
    return box(b"ftyp", brand, bytes(4), b"mif1" + brand) + meta
