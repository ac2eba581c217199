"""What the parser of a container reports."""

from __future__ import annotations

from typing import NamedTuple

EXIF_BYTES = 512 * 1024
"""EXIF data that is read; Pillow takes 5 s over 9 MB of it, and a camera writes less than 64 KiB."""


class HeaderFacts(NamedTuple):
    """What a header says; `width` and `height` are in pixels as stored.

    `decoded`: the pixels that the decoder goes through for one frame, with all scans, tiles and hidden frames
    (0: just those of the picture). `coded_bytes`: the coded bytes that it goes through, where it goes through
    some several times (0: just those of the file). `overhead_ms`: milliseconds of a core that a frame takes
    beside its pixels and bytes, where it is made of many parts. `kept`: how much memory the decoder takes, in
    pixels of a plain picture (0: as a plain one). `buffered`: the decoder holds every pixel's coefficients
    at once, also when it scales down. `flaw` says what is wrong with the picture; a size over the limits is
    reported before it. `coding` names how the pixels are coded, where a container has several ways that
    differ in cost (`inference.images.headers.cost`).
    """

    width: int
    height: int
    frames: int = 1
    buffered: bool = False
    flaw: str | None = None
    decoded: int = 0
    coded_bytes: int = 0
    overhead_ms: float = 0.0
    kept: int = 0
    coding: str = ""
