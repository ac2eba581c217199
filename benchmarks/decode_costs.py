"""Measure what each way of coding costs to decode: `python -m benchmarks.decode_costs` prints `COSTS`.

Pictures from flat to noise are decoded as the worker does it, and two numbers are fitted for each coding:
nanoseconds of a core for each pixel that the decoder goes through, and for each byte of the file. Then both
are raised until no measured picture costs more than its estimate.
"""

from __future__ import annotations

import io
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from benchmarks.decoder import INPUT_SIZE, LIMITS
from inference.images.decode import decode
from inference.images.headers import header

_SIDES = ((1000, 800), (2000, 1500), (10_000, 250))
"""The last one is too thin for the decoder to scale it down."""
_REPEATS = 2


def _rle(picture: Image.Image) -> bytes:
    """A BMP of run lengths, which Pillow does not write: each run is one pixel."""
    grey = picture.convert("L").resize((1400, 1000))
    whole = _saved(grey, "BMP")
    start = int.from_bytes(whole[10:14], "little")
    head = bytearray(whole[:start])
    head[30:34] = (1).to_bytes(4, "little")
    rows = [b"".join(b"\1" + bytes([value]) for value in row) for row in np.asarray(grey).tolist()]
    return bytes(head) + b"\0\0".join(rows) + b"\0\1"


def _saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def _as(form: str, mode: str = "RGB", **options: Any) -> Callable[[Image.Image], bytes]:
    return lambda picture: _saved(picture.convert(mode), form, **options)


def _grey16(picture: Image.Image) -> bytes:
    return _saved(Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257), "PNG")


def _deep_png(mode: str) -> Callable[[Image.Image], bytes]:
    """Write 16 bits for each colour, which Pillow does not; by the costliest filter."""

    def write(picture: Image.Image) -> bytes:
        rows = np.asarray(picture.convert(mode)).astype(">u2") * 257
        height, width, colours = rows.shape
        filtered = np.full((height, 1 + 2 * colours * width), 4, np.uint8)
        filtered[:, 1:] = rows.reshape(height, -1).view(np.uint8)
        head = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[colours], 0, 0, 0)
        chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(filtered.tobytes(), 1)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )

    return write


_WRITERS: tuple[Callable[[Image.Image], bytes], ...] = (
    *(_as("JPEG", quality=quality) for quality in (30, 75, 95)),
    _as("JPEG", "CMYK", quality=75),
    *(_as("JPEG", quality=quality, progressive=True) for quality in (30, 75, 95)),
    *(_as("PNG", mode, compress_level=1) for mode in ("L", "RGB", "RGBA", "LA", "P")),
    _grey16,
    _deep_png("RGB"),
    _deep_png("RGBA"),
    *(_as("WEBP", mode, quality=75, method=0) for mode in ("RGB", "RGBA")),
    *(_as("WEBP", mode, lossless=True, quality=0, method=0) for mode in ("RGB", "RGBA")),
    _as("GIF", "P"),
    *(_as("BMP", mode) for mode in ("1", "P", "RGB")),
    _rle,
    *(
        _as("TIFF", mode, compression=compression)
        for mode in ("RGB", "RGBA", "CMYK", "F")
        for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd")
    ),
    _as("TIFF", compression="jpeg", quality=75),
    _as("TIFF", "1", compression="group4"),
    *(_as("AVIF", mode, speed=10, quality=quality) for mode in ("RGB", "RGBA") for quality in (40, 75, 95)),
    *(_as("HEIF", "RGB", quality=quality) for quality in (20, 50, 80, 95)),
    *(_as("HEIF", "RGB", quality=quality, chroma="444") for quality in (5, 50)),
    *(_as("WEBP", "RGBA", quality=30, alpha_quality=100, method=0, exact=exact) for exact in (False, True)),
)


def _pictures() -> Iterator[Image.Image]:
    """Yield a flat picture, a soft one, a photograph's kind of noise and all noise, of each size."""
    chance = np.random.default_rng(0)
    for width, height in _SIDES:
        soft = np.linspace(0, 200, width * height).reshape(height, width, 1).repeat(3, axis=2)
        for strength in (0, 8, 60):
            noisy = soft + chance.normal(0, strength, (height, width, 3)) if strength else soft * 0 + 99
            yield Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def fit(
    pixels: NDArray[np.float64], sizes: NDArray[np.float64], ms: NDArray[np.float64]
) -> tuple[float, float]:
    """Return (ns a pixel, ns a byte), neither below zero, by relative error.

    No picture costs more than they say.
    """
    terms = np.stack([pixels, sizes], axis=1) / 1e6
    found = np.linalg.lstsq(terms / ms[:, None], np.ones(len(ms)), rcond=None)[0]
    for column in np.flatnonzero(found < 0):
        other = 1 - column
        found[other] = np.median(ms / terms[:, other])
        found[column] = 0
    raised = found * np.max(ms / (terms @ found))
    return float(raised[0]), float(raised[1])


def main() -> int:
    """Print the table; return 0."""
    pillow_heif.register_heif_opener()
    measured: dict[str, list[tuple[float, float, float]]] = {}
    for picture in _pictures():
        for write in _WRITERS:
            data = write(picture)
            found = header(data, limits=LIMITS, input_size=INPUT_SIZE)
            measured.setdefault(found.coding, []).append((found.decoded, len(data), _core_ms(data)))
    for coding, rows in measured.items():
        pixels, sizes, ms = np.array(rows).T
        a_pixel, a_byte = fit(pixels, sizes, ms)
        share = np.median(ms / (pixels * a_pixel + sizes * a_byte) * 1e6)
        print(
            f'    "{coding}": ({a_pixel:.1f}, {a_byte:.1f}),  # median of {len(rows)}: {share:.0%} of it',
            flush=True,
        )
    return 0


def _core_ms(data: bytes) -> float:
    """Return the least of a few measurements, in milliseconds of all threads."""
    times = []
    for _ in range(_REPEATS):
        began = time.process_time()
        decode(data, input_size=INPUT_SIZE, views="auto", limits=LIMITS).second()
        times.append(time.process_time() - began)
    return 1000 * min(times)


if __name__ == "__main__":
    sys.exit(main())
