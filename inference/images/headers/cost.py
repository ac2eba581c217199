"""What a picture is expected to cost its decoder, from what its header says.

`COSTS` is printed by `python -m benchmarks.decode_costs`: it decodes pictures from flat to noise, and raises
the fit until none of them costs more than it says. Numbers are raised by hand where files that were built to
cost much (`python -m tests.siege.costly_files`) cost more.
"""

from __future__ import annotations

from config.settings import Limits

COSTS = {
    "JPEG": (10.0, 18.0),
    "JPEG scaled": (3.0, 18.0),
    "JPEG progressive": (1.3, 40.0),
    "PNG": (28.6, 36.7),
    "PNG with alpha": (42.0, 36.7),
    "PNG of 48 bits": (50.0, 36.7),
    "PNG of 64 bits": (77.0, 36.7),
    "WEBP": (25.7, 50.0),
    "WEBP lossless": (29.0, 100.0),
    "GIF": (15.5, 16.3),
    "BMP": (10.3, 6.6),
    "BMP run lengths": (59.6, 260.0),
    "TIFF": (32.0, 1.2),
    "TIFF of JPEGs": (33.0, 54.0),
    "AVIF": (26.0, 100.0),
    "HEIF": (28.0, 150.0),
}
"""How pixels are coded -> nanoseconds of a core for each pixel gone through, and for each byte."""

_BUDGET = (35.0, 196.0)
"""Nanoseconds of a core for each pixel and each byte that the owner allows: 3.8 s for 50 million pixels and
10 MiB. A HEIC of 48 megapixels and 10 MiB is expected to take 3.5 s."""


def core_ms(coding: str, pixels: int, size: int) -> float:
    """Return milliseconds of one core for `pixels` that are gone through in a file of `size` bytes."""
    a_pixel, a_byte = COSTS[coding]
    return (pixels * a_pixel + size * a_byte) / 1e6


def budget_ms(limits: Limits) -> float:
    """Return the milliseconds of one core that decoding a picture may be expected to take."""
    a_pixel, a_byte = _BUDGET
    return (limits.image_pixels * a_pixel + limits.image_bytes * a_byte) / 1e6
