"""A perceptual hash changes little when a picture is saved again, and much for another picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from benchmarks.photographs import photographs as photographs_of_packages
from inference.images.perceptual_hash import perceptual_hash
from inference.images.views import DecodedFrame
from inference.results import HASH_BYTES


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    return photographs_of_packages()


def hashed(picture: Image.Image) -> int:
    found = perceptual_hash(DecodedFrame(picture, *picture.size))
    assert found is not None
    assert len(found) == HASH_BYTES
    return int.from_bytes(found, "big")


def differing(one: Image.Image, other: Image.Image) -> int:
    return (hashed(one) ^ hashed(other)).bit_count()


def saved(picture: Image.Image) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=30)
    return Image.open(file).convert("RGB")


def test_saved_again_smaller_or_grey_it_is_nearly_the_same(photographs: list[Image.Image]) -> None:
    for picture in photographs:
        small = picture.resize((picture.width // 2, picture.height // 2))
        for copy in (saved(picture), small, ImageOps.grayscale(picture).convert("RGB")):
            assert differing(picture, copy) <= 6


def test_other_pictures_differ_in_about_half_of_the_bits(photographs: list[Image.Image]) -> None:
    bits = [differing(one, other) for one in photographs for other in photographs if one is not other]
    assert 24 < np.mean(bits) < 40


def test_a_flat_colour_has_none() -> None:
    flat = Image.new("RGB", (60, 40), (200, 10, 10))
    assert perceptual_hash(DecodedFrame(flat, *flat.size)) is None
