"""HEIC and AVIF files that may cost much to decode."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.inference import av1
from tests.inference.heif import HeifItem, coded_item, grid_item, heif, ispe, overlay_item
from tests.inference.hostile import box, encoded
from tests.siege import pixels
from tests.siege.genes import Genes
from tests.siege.profiles import costly_profile

__all__ = ["avif_file", "heic_file"]

_ALPHA = box(b"auxC", bytes(4), b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
_MOST_BYTES = 4_000_000


def heic_file(genes: Genes) -> bytes:
    return _file(genes, "HEIF", {"quality": genes.number(1, 95)})


def avif_file(genes: Genes) -> bytes:
    if genes.chance(0.15):
        return _hidden_frames(genes)
    options: dict[str, Any] = {
        "speed": genes.choice((8, 10)),
        "quality": genes.number(1, 95),
        "subsampling": genes.choice(("4:2:0", "4:4:4", "4:0:0")),
        "tile_rows": genes.choice((0, 2, 6)),
        "tile_cols": genes.choice((0, 2, 6)),
    }
    if genes.chance(0.3):
        options["advanced"] = {"film-grain-test": str(genes.number(1, 16))}
    if genes.chance(0.3):
        frames = [
            pixels.picture(genes, "RGB", *pixels.size(genes, 300_000)) for _ in range(genes.number(1, 8))
        ]
        first = frames[0]
        rest = [frame.resize(first.size) for frame in frames[1:]] * genes.number(1, 10)
        return encoded(first, "AVIF", save_all=True, append_images=rest, **options)
    return _file(genes, "AVIF", options)


def _hidden_frames(genes: Genes) -> bytes:
    """Frames of another size than their sequence, and than the file says."""
    size = pixels.size(genes, genes.choice((1_000_000, 50_000_000, 250_000_000)), longest=60_000)
    says = size if genes.chance(0.5) else (64, 64)
    content = av1.sequence(*says) + av1.frame(*size) * genes.number(1, 40)
    return av1.avif_of(content, *says)


def _file(genes: Genes, form: str, options: dict[str, Any]) -> bytes:
    """Return a coded picture, again and again: as tiles, layers, alphas, frames or turns."""
    brand = b"heic" if form == "HEIF" else b"avif"
    mode = genes.choice(("RGB", "RGBA", "L"))
    width, height = pixels.size(
        genes, genes.choice((100_000, 1_000_000, 4_000_000, 16_000_000)), longest=8_000
    )
    shot = pixels.picture(genes, mode, max(width, 64), max(height, 64))
    says = (64, 64) if genes.chance(0.2) else None
    if genes.chance(0.3):
        options["icc_profile"] = costly_profile(genes, "RGB")
    if genes.chance(0.2) or mode != "RGB":
        return encoded(shot, form, **options)
    tile = coded_item(shot, form, says=says, **options)
    if genes.chance(0.3):
        tile = replace(
            tile, content=tile.content * min(genes.number(1, 50), _MOST_BYTES // len(tile.content) + 1)
        )
    if genes.chance(0.3):
        turn = genes.choice((box(b"irot", b"\1"), box(b"imir", b"\1")))
        tile = replace(tile, properties=tile.properties + (turn,) * genes.number(1, 200))
    items = [tile]
    _put_together(genes, items, shot.size)
    if genes.chance(0.2):
        alpha = replace(tile, properties=(*tile.properties, _ALPHA), alpha_of=len(items))
        return heif(*items, *[alpha] * genes.number(1, 3), primary=len(items), brand=brand)
    return heif(*items, primary=len(items), brand=brand)


def _put_together(genes: Genes, items: list[HeifItem], size: tuple[int, int]) -> None:
    for _ in range(genes.choice((0, 1, 1, 2, 4))):
        last = len(items)
        rows, columns = genes.number(1, 40), genes.number(1, 40)
        honest = (min(columns * size[0], 60_000), min(rows * size[1], 60_000))
        canvas = honest if genes.chance(0.6) else (64, 64)
        match genes.choice(("grid", "iovl", "iden")):
            case "grid":
                items.append(grid_item(rows, columns, canvas, (last,) * (rows * columns)))
            case "iovl":
                items.append(overlay_item(canvas, (last,) * genes.number(1, 250)))
            case _:
                items.append(HeifItem(b"iden", b"", (ispe(*size),), made_of=(last,)))
        size = canvas
