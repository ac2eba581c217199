"""Colour profiles from a few lines: plain ones, and ones that were built to keep a colour engine busy."""

from __future__ import annotations

import struct

__all__ = ["curve", "matrix_tags", "profile", "program", "table"]


def profile(
    tags: list[tuple[bytes, bytes]],
    *,
    colours: bytes = b"RGB ",
    kind: bytes = b"mntr",
    connection: bytes = b"XYZ ",
) -> bytes:
    """A profile of these tags, each with its own bytes."""
    start = 132 + 12 * len(tags)
    listed, content = b"", b""
    for name, tag in tags:
        listed += name + struct.pack(">II", start + len(content), len(tag))
        content += tag + bytes(-len(tag) % 4)
    head = struct.pack(
        ">I4xI4s4s4s12x4s28xiii48x",
        start + len(content),
        0x04300000,
        kind,
        colours,
        connection,
        b"acsp",
        63190,
        65536,
        54061,
    )
    return head + struct.pack(">I", len(tags)) + listed + content


def curve(points: int = 1, value: int = 0x0233) -> bytes:
    """A curve of `points` equal values; of one, a power of value / 256."""
    return b"curv" + struct.pack(">4xI", points) + struct.pack(">H", value) * points


def matrix_tags(shade: bytes | None = None) -> list[tuple[bytes, bytes]]:
    """What makes a profile of Adobe RGB, with `shade` as the curve of all three colours."""
    colours = {"r": (39989, 20394, 1276), "g": (13450, 41003, 3983), "b": (9783, 4138, 48829)}
    columns = [
        (f"{name}XYZ".encode(), b"XYZ " + struct.pack(">4x3i", *numbers)) for name, numbers in colours.items()
    ]
    return columns + [(f"{name}TRC".encode(), shade or curve()) for name in colours]


def table(inputs: int, side: int, *, curves: int = 2) -> bytes:
    """A table of 16 bits that makes every colour mid-grey, in L*a*b*."""
    head = b"mft2" + struct.pack(">4xBBBx9iHH", inputs, 3, side, 1, 0, 0, 0, 1, 0, 0, 0, 1, curves, curves)
    ramp = b"".join(struct.pack(">H", 65535 * i // (curves - 1)) for i in range(curves))
    return head + ramp * inputs + struct.pack(">3H", 0x8000, 0x8080, 0x8080) * int(side**inputs) + ramp * 3


def program(element: bytes, times: int, channels: int = 3) -> bytes:
    """A tag of many elements (`mpet`) that are all the same bytes."""
    start = 16 + 8 * times
    return (
        b"mpet"
        + struct.pack(">4xHHI", channels, channels, times)
        + struct.pack(">II", start, len(element)) * times
        + element
    )
