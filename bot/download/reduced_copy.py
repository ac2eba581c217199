"""Name a smaller copy of an image, which Discord's media proxy makes, that is large enough for the model."""

from __future__ import annotations

from pathlib import PurePosixPath

from yarl import URL

CDN = URL("https://cdn.discordapp.com")
MEDIA = URL("https://media.discordapp.net")

MARGIN = 10 / 7
"""Short side of the copy, in input sizes. The first view is 7/8 of it, so 8/7 would just do; rounding, and
decoders that scale in steps, want some more."""
WORTH = 2
"""How many times larger the original's short side must be for a second host to be asked at all."""
STILL = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png"})
"""Others may be animated, and a copy shows only one frame."""


def smaller(url: URL, dimensions: tuple[int, int], input_size: int) -> URL | None:
    """Return where a smaller copy of the image at `url` is; None where there is none worth asking for.

    `dimensions` are the original's (width, height), `input_size` the model's height = width, all in pixels.
    The copy keeps the aspect ratio, and its short side is at least `MARGIN * input_size`, so that every view
    of it is at least the model's size. The signature of an attachment's address (`ex`, `is`, `hm`) holds on
    the media proxy too (https://discord.com/developers/docs/reference#signed-attachment-cdn-urls).
    """
    short = min(dimensions)
    target = round(MARGIN * input_size)
    if url.origin() not in (CDN, MEDIA) or short < WORTH * target:
        return None
    if PurePosixPath(url.path).suffix.lower() not in STILL:
        return None
    width, height = (-(-side * target // short) for side in dimensions)
    return MEDIA.join(url.relative()).update_query(width=width, height=height)
