"""ICC profiles (ISO 15076-1): a small profile of known tags, made from an untrusted one.

A profile can be a program: its tags may hold thousands of curves and matrices, and many tags may share the
same bytes. Only the tags that turn a picture's colours into the profile's connection space in the plain ways
(a matrix and a curve for each colour, or one table) are read here, and copied into a new profile. The rest
never reaches the colour engine, as if it were not there.
"""

from __future__ import annotations

from struct import Struct, error, pack, unpack_from

_HEADER = 128
_TAG = Struct(">4sII")
_TAGS = 100
"""Tags that are looked through; a profile of a camera or a press has under forty."""
_CURVE_POINTS = 4_096
_TABLE_POINTS = 300_000
"""Points of a table. A press has at most 23 for each of four inks, which makes 279,841."""
_TABLE_CURVE = range(2, _CURVE_POINTS + 1)

_CLASSES = frozenset({b"scnr", b"mntr", b"prtr", b"spac"})
_CONNECTION_SPACES = frozenset({b"XYZ ", b"Lab "})
_SPACES = {"RGB": (b"RGB ", 3), "L": (b"GRAY", 1), "CMYK": (b"CMYK", 4)}
"""Mode of the picture -> the profile's name for it, and how many colours it has."""
_MATRIX = {
    "RGB": (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"),
    "L": (b"kTRC",),
}
_WHITE = (b"wtpt", b"chad")
_PARAMETERS = (1, 3, 4, 5, 7)
"""Numbers of a parametric curve, by its function."""
_DESCRIPTION_BYTES = 256
_OF_SRGB_ITSELF = (b"sRGB", "sRGB".encode("utf-16-be"))
"""Made here, because Python looks for a codec's module when it is first used, which the sandbox forbids."""


def plain_profile(profile: bytes, mode: str) -> bytes | None:
    """Return a profile with only the plain tags of `profile`.

    `mode` is the picture's (Pillow's name). Returns None where the picture is to be taken as sRGB, because
    the profile is damaged, is for other colours, is of sRGB itself, or has no plain way to convert them.
    """
    try:
        return _plain_profile(profile, mode)
    except (error, IndexError):
        return None


def _plain_profile(profile: bytes, mode: str) -> bytes | None:
    space, channels = _SPACES[mode]
    kind, colours, connection = profile[12:16], profile[16:20], profile[20:24]
    known = kind in _CLASSES and connection in _CONNECTION_SPACES and profile[36:40] == b"acsp"
    if not known or colours != space:
        return None
    tags = _tags(profile)
    description = tags.get(b"desc", b"")[:_DESCRIPTION_BYTES]
    if mode == "RGB" and any(name in description for name in _OF_SRGB_ITSELF):
        return None
    table = _table(tags[b"A2B0"], channels) if b"A2B0" in tags else None
    kept = (
        {b"A2B0": table} if table else {name: _plain(tags.get(name, b"")) for name in _MATRIX.get(mode, ())}
    )
    if not kept or None in kept.values():
        return None
    white = {name: _plain(tags.get(name, b"")) for name in _WHITE}
    return _joined(profile[:_HEADER], {name: tag for name, tag in (kept | white).items() if tag})


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Return the first tags by name; a tag's bytes may reach further than its own end."""
    (count,) = unpack_from(">I", profile, _HEADER)
    tags: dict[bytes, bytes] = {}
    for index in range(min(count, _TAGS)):
        name, start, size = _TAG.unpack_from(profile, _HEADER + 4 + index * _TAG.size)
        if name in _READ:
            tags.setdefault(name, profile[start : start + size])
    return tags


_READ = frozenset({b"desc", b"A2B0", *_WHITE, *_MATRIX["RGB"], *_MATRIX["L"]})


def _plain(tag: bytes) -> bytes | None:
    """Return a curve, a colour or a matrix without what follows it; None where it is something else."""
    kind, size = tag[:4], None
    if kind == b"curv":
        (points,) = unpack_from(">I", tag, 8)
        size = 12 + 2 * points if points <= _CURVE_POINTS else None
    elif kind == b"para":
        (function,) = unpack_from(">H", tag, 8)
        size = 12 + 4 * _PARAMETERS[function]
    elif kind == b"XYZ ":
        size = 8 + 4 * 3
    elif kind == b"sf32":
        size = 8 + 4 * 9
    return tag[:size] if size and len(tag) >= size else None


def _table(tag: bytes, channels: int) -> bytes | None:
    """Return a table of 8 or 16 bits without what follows it; None for other kinds, or too large a table."""
    kind, (inputs, outputs, side) = tag[:4], unpack_from("BBB", tag, 8)
    points = side**inputs
    if (inputs, outputs) != (channels, 3) or side < 2 or points > _TABLE_POINTS:  # noqa: PLR2004
        return None
    if kind == b"mft1":
        size = 48 + 256 * inputs + 3 * points + 256 * 3
    elif kind == b"mft2":
        before, after = unpack_from(">HH", tag, 48)
        if before not in _TABLE_CURVE or after not in _TABLE_CURVE:
            return None
        size = 52 + 2 * (before * inputs + 3 * points + after * 3)
    else:
        return None
    return tag[:size] if len(tag) >= size else None


def _joined(header: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return a profile of these tags, one after the other."""
    start = _HEADER + 4 + len(tags) * _TAG.size
    table, content = pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += _TAG.pack(name, start + len(content), len(tag))
        content += tag + bytes(-len(tag) % 4)
    return pack(">I", start + len(content)) + header[4:] + table + content
