"""The fingerprint of a picture: the features under a model's last layer, in a form that compares well.

The root of each feature keeps a few strong ones from deciding alone (Perronnin et al. 2010, "Improving the
Fisher Kernel for Large-Scale Image Classification", power normalisation), and unit length makes brightness
and contrast count less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.results import SCALE_BYTES

LARGEST = 127


def unit_roots(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return phi, float32 [n, width]: the signed roots of `features`, float32 [n, width], in unit length.

    Features that are all zero stay so.
    """
    roots = np.sign(features) * np.sqrt(np.abs(features))
    length = np.linalg.norm(roots, axis=1, keepdims=True)
    return np.asarray(roots / np.where(length == 0, 1, length), np.float32)


def pack(vector: NDArray[np.float32]) -> bytes:
    """Return `vector`, float32 [width], as 8-bit numbers behind their scale: `SCALE_BYTES` + width bytes."""
    scale = np.float32(np.abs(vector).max() / LARGEST or 1)
    numbers = np.rint(vector / scale).astype(np.int8)
    return bytes(scale.astype("<f4").tobytes() + numbers.tobytes())


def unpack(packed: bytes) -> NDArray[np.float32]:
    """Return the vector, float32 [width], that `pack` was given, but for rounding.

    Raises ValueError for bytes that cannot come from `pack`.
    """
    if len(packed) <= SCALE_BYTES:
        raise ValueError(f"{len(packed)} bytes are too few for a fingerprint")
    scale = float(np.frombuffer(packed[:SCALE_BYTES], "<f4")[0])
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError("the scale of a fingerprint has to be a number above 0")
    return np.frombuffer(packed[SCALE_BYTES:], np.int8).astype(np.float32) * np.float32(scale)


def unpack_all(packed: bytes, size: int) -> NDArray[np.float32]:
    """Return the vectors, float32 [n, width], of n packed ones of `size` bytes each, one after the other.

    Raises ValueError as `unpack` does, and where the bytes are no multiple of `size`.
    """
    if size <= SCALE_BYTES or len(packed) % size:
        raise ValueError(f"{len(packed)} bytes are no fingerprints of {size} bytes each")
    rows = np.frombuffer(packed, np.uint8).reshape(-1, size)
    scales = np.ascontiguousarray(rows[:, :SCALE_BYTES]).view("<f4")
    if not (np.isfinite(scales) & (scales > 0)).all():
        raise ValueError("the scale of a fingerprint has to be a number above 0")
    vectors = rows[:, SCALE_BYTES:].view(np.int8).astype(np.float32)
    vectors *= scales
    return vectors
