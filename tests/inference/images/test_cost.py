"""What costs more than it looks is refused by its header; what is only large is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from config.settings import Limits
from inference.images.headers import header
from inference.images.headers.cost import COSTS, budget_ms, core_ms
from inference.results import CorruptImage, ImageTooLarge
from tests.inference.heif import HeifItem, coded_item, grid_item, heif, ispe, overlay_item
from tests.inference.hostile import box, encoded, jpeg_of_scans, png

LIMITS = Limits()
LARGE = (1984, 1984)
TURN = box(b"irot", b"\1")


@pytest.fixture(scope="module")
def tile() -> HeifItem:
    return coded_item(Image.new("RGB", LARGE, "teal"))


def test_every_tile_of_a_grid_counts_also_when_all_are_the_same(tile: HeifItem) -> None:
    with pytest.raises(ImageTooLarge, match=r"3,5\d\d,\d{3},\d{3} pixels with all scans, tiles and frames"):
        header(heif(tile, grid_item(30, 30, (64, 64), (1,) * 900), primary=2), limits=LIMITS)


def test_every_layer_of_an_overlay_counts(tile: HeifItem) -> None:
    with pytest.raises(ImageTooLarge, match="tiles"):
        header(heif(tile, overlay_item((64, 64), (1,) * 60), primary=2), limits=LIMITS)


def test_grids_of_grids_multiply(tile: HeifItem) -> None:
    grids = [grid_item(4, 4, (64, 64), (number,) * 16) for number in (1, 2)]
    with pytest.raises(ImageTooLarge, match="tiles"):
        header(heif(tile, *grids, primary=3), limits=LIMITS)


def test_a_chain_of_pictures_of_pictures_ends(tile: HeifItem) -> None:
    chain = [HeifItem(b"iden", b"", (ispe(*LARGE),), made_of=(number,)) for number in range(1, 20)]
    with pytest.raises(CorruptImage, match="pictures of pictures"):
        header(heif(tile, *chain, primary=20), limits=LIMITS)
    circle = replace(tile, made_of=(2,))
    with pytest.raises(CorruptImage, match="pictures of pictures"):
        header(heif(circle, replace(tile, made_of=(1,)), primary=1), limits=LIMITS)


@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
def test_a_coded_picture_is_as_large_as_its_own_sequence_header(form: str) -> None:
    brand = b"heic" if form == "HEIF" else b"avif"
    one = coded_item(Image.new("RGB", LARGE), form, says=(64, 64))
    found = header(heif(one, primary=1, brand=brand), limits=LIMITS)
    assert LARGE[0] * LARGE[1] <= found.decoded < 1.02 * LARGE[0] * LARGE[1]


@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
def test_hidden_frames_of_a_coded_picture_count(form: str) -> None:
    brand = b"heic" if form == "HEIF" else b"avif"
    one = coded_item(Image.new("RGB", LARGE), form)
    found = header(heif(replace(one, content=one.content * 7), primary=1, brand=brand), limits=LIMITS)
    assert found.decoded >= 7 * LARGE[0] * LARGE[1]


def test_a_picture_is_not_turned_again_and_again(tile: HeifItem) -> None:
    header(heif(replace(tile, properties=(*tile.properties, TURN)), primary=1), limits=LIMITS)
    with pytest.raises(CorruptImage, match="turned more than 3 times"):
        header(heif(replace(tile, properties=tile.properties + (TURN,) * 4), primary=1), limits=LIMITS)


def test_the_longest_side_is_limited() -> None:
    for width, height in ((1, 50_000_000), (50_000_000, 1), (65_536, 700)):
        with pytest.raises(ImageTooLarge, match="the limit for a side is 65,535"):
            header(png(width, height), limits=LIMITS)
    assert header(png(65_535, 700), limits=LIMITS).size == (65_535, 700)


def test_every_scan_of_a_jpeg_counts() -> None:
    assert header(jpeg_of_scans(1000, 1000, 60), limits=LIMITS).decoded == 60_000_000


def test_the_budget_follows_the_pixels_that_the_owner_allows(tile: HeifItem) -> None:
    grid = heif(tile, grid_item(6, 6, (64, 64), (1,) * 36), primary=2)
    assert header(grid, limits=LIMITS).core_ms < budget_ms(LIMITS)
    with pytest.raises(ImageTooLarge, match="ms of a core"):
        header(grid, limits=Limits(image_pixels=5_000_000))


@pytest.mark.parametrize("coding", [coding for coding in COSTS if coding != "BMP run lengths"])
def test_a_plain_picture_at_the_limits_is_within_the_budget(coding: str) -> None:
    scans = 10 if coding == "JPEG progressive" else 1
    assert core_ms(coding, LIMITS.image_pixels * scans, LIMITS.image_bytes) < budget_ms(LIMITS)


def test_a_phone_of_48_megapixels_is_within_the_budget() -> None:
    """Its photograph is a grid of tiles, put together and turned, with a small copy beside it."""
    assert core_ms("HEIF", 48_000_000 * 5 // 4 + 2_000_000, LIMITS.image_bytes) < budget_ms(LIMITS)
    one = coded_item(Image.new("RGB", (512, 512), "teal"))
    turned = replace(grid_item(12, 16, (8064, 6048), (1,) * 192), made_of=(1,) * 192)
    turned = replace(turned, properties=(*turned.properties, TURN))
    assert header(heif(one, turned, primary=2), limits=LIMITS).size == (8064, 6048)


def test_what_is_expected_grows_with_pixels_and_bytes() -> None:
    small, large = (
        header(encoded(Image.effect_noise((side, side), 50), "PNG"), limits=LIMITS) for side in (200, 400)
    )
    assert 3 * small.core_ms < large.core_ms < 5 * small.core_ms
