"""A perceptual hash: 64 bits that stay nearly the same when a picture is saved again, made smaller or greyed.

It is pHash: the signs of the 64 slowest waves of a discrete cosine transform of a small grey copy, against
their median. The package imagehash makes the same, and needs SciPy for it; here the transform is two products
with a matrix of 8 x 32 numbers.
"""

from __future__ import annotations

import numpy as np

from inference.images.views import DecodedFrame

SIDE = 32
"""Pixels along a side of the grey copy."""
WAVES = 8
"""Along a side: 8 x 8 waves make 64 bits."""
LEAST_CONTRAST = 2.0
"""Standard deviation of the grey copy, of 255, under which a picture is one flat colour: all such pictures
would look like copies of each other."""
REDUCING_GAP = 3.0
"""Pillow first averages whole pixels down to three times the copy, which takes half of the time and changes
0.4 of the 64 bits on average (of 200 photographs)."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""How bright red, green and blue look (ITU-R BT.601)."""

_TRANSFORM = np.cos(np.pi / (2 * SIDE) * np.outer(np.arange(WAVES), 2 * np.arange(SIDE) + 1)).astype(
    np.float32
)


def perceptual_hash(picture: DecodedFrame) -> bytes | None:
    """Return the hash of a whole picture, `inference.results.HASH_BYTES`; None for one of a flat colour."""
    copy = picture.view((0.0, 0.0, picture.width, picture.height), SIDE, reducing_gap=REDUCING_GAP)
    grey = copy.astype(np.float32) @ LUMA
    if grey.std() < LEAST_CONTRAST:
        return None
    waves = _TRANSFORM @ grey @ _TRANSFORM.T
    # Not `np.median`: it imports a part of NumPy when it is first called, which the sandbox forbids.
    middle = np.sort(waves, axis=None)[WAVES * WAVES // 2 - 1 : WAVES * WAVES // 2 + 1].mean()
    return np.packbits(waves > middle).tobytes()
