"""Which pictures count as built alike, and that asking costs little, whatever the bytes are."""

from __future__ import annotations

import random
import time
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from inference.images.structure import structure
from tests.inference.hostile import (
    apng_of_frames,
    box,
    chunk,
    gif_of_frames,
    heic_grid,
    jpeg_of_scans,
    jpeg_segments,
    tiff_of_directories,
    webp_of_frames,
)

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")


def file(form: str, side: int = 64, *, seed: int = 1, profile: bytes | None = None) -> bytes:
    pillow_heif.register_heif_opener()
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), np.uint8)
    buffer = BytesIO()
    options = {"icc_profile": profile} if profile else {}
    Image.fromarray(pixels).save(buffer, form, **options)
    return buffer.getvalue()


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


@pytest.mark.parametrize("form", FORMATS)
def test_another_picture_of_the_same_kind_is_built_alike(form: str) -> None:
    found = structure(file(form))
    assert found
    assert found.size == (64, 64)
    assert structure(file(form, seed=2)) == found
    assert structure(file(form) + b"more") == found


@pytest.mark.parametrize("form", FORMATS)
def test_the_exact_size_tells_apart_what_is_roughly_alike(form: str) -> None:
    one, other = structure(file(form, 70)), structure(file(form, 71))
    assert one
    assert other
    assert one.rough == other.rough
    assert one != other
    larger = structure(file(form, 300))
    assert larger
    assert larger.rough != one.rough


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_another_colour_profile_is_another_structure(form: str) -> None:
    plain, srgb, lab = (structure(file(form, profile=profile)) for profile in (None, SRGB, LAB))
    assert plain
    assert srgb
    assert lab
    assert len({plain.rough, srgb.rough, lab.rough}) == 3


def test_comments_metadata_and_the_order_of_chunks_are_no_part_of_it() -> None:
    png = file("PNG")
    start = png.index(b"IDAT") - 4
    text, dated = chunk(b"tEXt", b"Comment\0hello"), chunk(b"tIME", bytes(7))
    found = structure(png)
    for extra in (text, dated, text + dated, dated + text, zlib.compress(b"") and chunk(b"prVt", b"x")):
        assert structure(png[:start] + extra + png[start:]) == found
    jpeg = structure(jpeg_segments())
    assert structure(jpeg_segments(b"\xff\xfe\x00\x07hello")) == jpeg
    assert structure(jpeg_segments(b"\xff\xe1\x00\x08Exif\0\0")) == jpeg


def test_what_makes_a_picture_costly_is_part_of_it() -> None:
    kinds = [
        jpeg_of_scans(64, 64, 10),
        jpeg_of_scans(64, 64, 100),
        jpeg_segments(),
        apng_of_frames(64, 64, 2),
        apng_of_frames(64, 64, 20),
        file("PNG"),
        webp_of_frames(64, 64, 2),
        webp_of_frames(64, 64, 20),
        heic_grid(64, 64),
        file("HEIF"),
    ]
    found = [structure(kind) for kind in kinds]
    assert all(found)
    assert len({one.rough for one in found if one}) == len(kinds)


@pytest.mark.parametrize("data", [b"", b"nothing", b"<svg/>", b"%PDF-1.7"])
def test_what_is_never_decoded_has_none(data: bytes) -> None:
    assert structure(data) is None


@pytest.mark.parametrize("form", FORMATS)
def test_no_bytes_make_it_fail(form: str) -> None:
    dice = random.Random(form)  # noqa: S311 - damage, no secret
    whole = file(form, profile=SRGB if form not in ("GIF", "BMP") else None)
    for _ in range(300):
        data = bytearray(whole[: dice.randrange(12, len(whole))])
        for _ in range(dice.randrange(1, 30)):
            place = dice.randrange(min(len(data), dice.choice((40, 400, len(data)))))
            data[place] = dice.choice((0, 255, dice.randrange(256)))
        structure(bytes(data))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(file("PNG")[:-12] + chunk(b"tEXt", b"x\0") * 500_000, id="chunks"),
        pytest.param(jpeg_segments(*[b"\xff\xfe\x00\x02"] * 1_000_000), id="segments"),
        pytest.param(b"\xff\xd8" + b"\xff" * 10_000_000, id="fill bytes"),
        pytest.param(box(b"ftyp", b"heic", bytes(4), b"mif1heic") + box(b"free") * 1_000_000, id="boxes"),
        pytest.param(gif_of_frames(64, 64, 500_000), id="GIF frames"),
        pytest.param(webp_of_frames(64, 64, 100_000), id="WebP frames"),
        pytest.param(tiff_of_directories(100_000), id="directories"),
        pytest.param(
            file("PNG")[:33] + chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(10_000_000))), id="bomb"
        ),
    ],
)
def test_a_file_that_goes_on_for_ever_costs_little(data: bytes) -> None:
    began = time.thread_time()
    structure(data)
    assert time.thread_time() - began < 0.1
