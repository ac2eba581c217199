"""Pixels to encode: from flat to noise, so that a file's bytes and its decoder's work vary."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tests.siege.genes import Genes

__all__ = ["picture", "size"]


def size(genes: Genes, most: int, *, longest: int = 65_000) -> tuple[int, int]:
    """Return a width and height of at most `most` pixels together."""
    pixels = genes.number(1_000, most)
    width = genes.number(1, longest) if genes.chance(0.2) else int(pixels**0.5)
    width = min(max(width, 1), longest)
    return width, min(max(pixels // width, 1), longest)


def picture(genes: Genes, mode: str, width: int, height: int) -> Image.Image:
    """Return a picture of tiles that repeat: flat, a gradient, stripes or noise of some strength."""
    side = genes.choice((8, 16, 64, 256))
    channels = {"L": 1, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    chance = np.random.default_rng(genes.number(0, 10_000))
    kind, strength = genes.choice(("flat", "gradient", "stripes", "noise")), genes.number(1, 255)
    tile = np.full((side, side, channels), 128.0)
    if kind == "gradient":
        tile += np.linspace(-strength / 2, strength / 2, side)[:, None, None]
    elif kind == "stripes":
        tile += np.where(np.arange(side) % 2, strength / 2, -strength / 2)[None, :, None]
    elif kind == "noise":
        tile += chance.normal(0, strength / 2, tile.shape)
    pixels = np.clip(tile, 0, 255).astype(np.uint8)
    whole = np.tile(pixels, (-(-height // side), -(-width // side), 1))[:height, :width]
    return Image.fromarray(
        whole[..., 0] if mode == "L" else np.ascontiguousarray(whole), mode if mode == "CMYK" else None
    )
