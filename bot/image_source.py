"""Where one image is, and what Discord says of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ImageSource:
    """One image that a message names: where it is, and what Discord says of it.

    `size` is in bytes and `dimensions` in pixels (width, height), both None where Discord does not tell.
    `certain` is false for a file of which neither the name nor the type says what it is.
    """

    url: str
    filename: str
    kind: Literal["attachment", "link", "sticker"]
    size: int | None = None
    spoiler: bool = False
    certain: bool = True
    dimensions: tuple[int, int] | None = None


def fingerprint(images: Sequence[ImageSource]) -> int:
    """Return a number of 63 bits that changes when a message has other images; 0 for none."""
    if not images:
        return 0
    # What stands after the question mark is a signature that Discord renews.
    names = "\n".join(image.url.partition("?")[0] for image in images)
    return int.from_bytes(hashlib.sha256(names.encode()).digest()[:8], "big") >> 1
