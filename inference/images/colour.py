"""From any mode of a picture to the 8-bit sRGB that the models were trained on.

There are two steps, so that the costly one works on a small picture: `flatten` before shrinking, `to_srgb` on
the finished crops.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageCms

from inference.images.icc_profile import plain_profile

_BITS_PER_SAMPLE = 258
_PROFILE_BYTES = 2 * 1024 * 1024
"""Colour profiles of printing presses have up to 2 MiB; larger ones are ignored."""
_PROFILES = 8
_PART_PIXELS = 65_536
"""Deep pixels are brought down to 8 bits in parts that fit into a processor's cache."""


def flatten(image: Image.Image) -> Image.Image:
    """Return the loaded `image` without transparency (on white), palette or deep pixels.

    The mode of what is returned is L, RGB, CMYK or LAB.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image)
    if image.has_transparency_data:
        layer = image if image.mode == "RGBA" else image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(layer, mask=layer)
        return paper
    if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
        return ImageChops.invert(image)  # Pillow takes every CMYK JPEG for one of Adobe's, which are inverted
    if image.mode in ("L", "RGB", "CMYK", "LAB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return a flattened picture as RGB, through its colour profile where that fits and is plain."""
    if picture.mode == "LAB":
        return ImageCms.applyTransform(picture, _from_lab()) or picture
    if profile and len(profile) <= _PROFILE_BYTES:
        transform = _from_profile(profile, picture.mode)
        if transform is not None:
            return ImageCms.applyTransform(picture, transform) or picture
    return picture.convert("RGB")


@lru_cache(maxsize=1)
def _from_lab() -> ImageCms.ImageCmsTransform:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB")


@lru_cache(maxsize=_PROFILES)
def _from_profile(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return `profile` to sRGB; None where that is no change, or where the profile is damaged or misfit."""
    plain = plain_profile(profile, mode)
    if plain is None:
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(plain))
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (OSError, ImageCms.PyCMSError):
        return None


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return grey pixels of 16 or 32 bits as 8 bits; Pillow's own conversion would clip them at 255."""
    values = np.asarray(image)
    low, high = (0.0, _most(image)) if image.mode.startswith("I;16") else _range(values)
    clear = image.info.get("transparency")
    eight = np.empty(values.shape, np.uint8)
    rows = max(_PART_PIXELS // max(image.width, 1), 1)
    for first in range(0, len(values), rows):
        part = values[first : first + rows]
        with np.errstate(all="ignore"):  # infinities and NaN become black or white below
            grey = np.subtract(part, low, dtype=np.float32)
            grey *= 255 / (high - low)
        np.nan_to_num(grey, copy=False, posinf=255)
        np.rint(np.clip(grey, 0, 255, out=grey), out=grey)
        eight[first : first + rows] = grey.astype(np.uint8)
        if isinstance(clear, int):
            eight[first : first + rows][part == clear] = 255
    return Image.fromarray(eight)


def _most(image: Image.Image) -> float:
    """Return the largest value of a 16-bit mode: a TIFF may use fewer bits, such as 12."""
    bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))
    return float(2 ** min(bits[0], 16) - 1)


def _range(values: NDArray[np.generic]) -> tuple[float, float]:
    """Return what is black and what is white in pixels of 32 bits.

    There is no convention, so it is the narrowest usual range that holds them.
    """
    finite = np.isfinite(values)
    if not finite.any():
        return 0.0, 1.0
    low = float(np.min(values, where=finite, initial=np.inf if values.dtype.kind == "f" else values.max()))
    high = float(np.max(values, where=finite, initial=-np.inf if values.dtype.kind == "f" else values.min()))
    if low >= 0:
        usual = (255.0, 65535.0) if values.dtype.kind in "iu" else (1.0, 255.0, 65535.0)
        for most in usual:
            if high <= most:
                return 0.0, most
    return low, high if high > low else low + 1
