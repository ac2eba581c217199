"""Colour profiles that were built to keep a colour engine busy."""

from __future__ import annotations

import struct

from tests.inference.icc import curve, matrix_tags, profile, program, table
from tests.siege.genes import Genes

__all__ = ["costly_profile"]


def costly_profile(genes: Genes, mode: str) -> bytes:
    """Return a profile for pictures of `mode` (RGB, L or CMYK)."""
    colours, channels = {"RGB": (b"RGB ", 3), "L": (b"GRAY", 1), "CMYK": (b"CMYK", 4)}[mode]
    shade = genes.choice((curve(), curve(genes.number(1, 65_536)), _formula(genes)))
    tags = [(b"kTRC", shade)] if mode == "L" else [] if mode == "CMYK" else matrix_tags(shade)
    if genes.chance(0.4):
        side = genes.number(2, {1: 255, 3: 64, 4: 23}[channels])
        tags.append((b"A2B0", table(channels, side, curves=genes.number(2, 4_096))))
    if genes.chance(0.4):
        element = genes.choice((_matrix_element(channels), _curve_element(channels, genes.number(2, 1_000))))
        name = genes.choice((b"D2B0", b"D2B1", b"A2B0", b"D2B3"))
        tags.append((name, program(element, genes.number(1, 60_000), channels)))
    if genes.chance(0.2):
        tags += [(b"desc", _texts(genes.number(1, 100_000)))]
    connection = genes.choice((b"XYZ ", b"Lab "))
    kind = genes.choice((b"mntr", b"prtr", b"scnr", b"spac", b"link", b"abst", b"nmcl"))
    return profile(tags, colours=colours, kind=kind, connection=connection)


def _formula(genes: Genes) -> bytes:
    function = genes.choice((0, 1, 2, 3, 4))
    numbers = [genes.number(0, 0x7FFFFFFF) for _ in range((1, 3, 4, 5, 7)[function])]
    return b"para" + struct.pack(f">4xHH{len(numbers)}i", function, 0, *numbers)


def _matrix_element(channels: int) -> bytes:
    numbers = [float(row == column) for row in range(channels) for column in range(channels)]
    return b"matf" + struct.pack(
        f">4xHH{channels * channels + channels}f", channels, channels, *numbers, *[0.0] * channels
    )


def _curve_element(channels: int, segments: int) -> bytes:
    breaks = b"".join(struct.pack(">f", (i + 1) / segments) for i in range(segments - 1))
    formulas = (b"parf" + struct.pack(">4xHHffff", 0, 0, 1, 1, 0, 0)) * segments
    one = b"curf" + struct.pack(">4xHH", segments, 0) + breaks + formulas
    places = struct.pack(">II", 12 + 8 * channels, len(one)) * channels
    return b"cvst" + struct.pack(">4xHH", channels, channels) + places + one


def _texts(count: int) -> bytes:
    return b"mluc" + struct.pack(">4xII", count, 12) + (b"enUS" + struct.pack(">II", 8, 16)) * count
