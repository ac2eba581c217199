"""What one container's parser reports."""

from __future__ import annotations

from typing import NamedTuple

EXIF_BYTES = 512 * 1024
"""EXIF data that is read; Pillow takes 5 s over 9 MB of it, and a camera writes less than 64 KiB."""


class HeaderFacts(NamedTuple):
    """What a header promises; the size is (width, height) in pixels as stored.

    `buffered`: the decoder holds every pixel's coefficients at once, also when it scales down.
    `flaw`: what is wrong with it, if its size is not already reason enough to refuse it.
    """

    width: int
    height: int
    frames: int = 1
    buffered: bool = False
    flaw: str | None = None
