"""What costs more than it looks is refused by its header; what is only large is not."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from PIL import Image

from config.settings import Limits
from inference.images.decode import decode
from inference.images.headers import ImageHeader, header
from inference.images.headers.cost import COSTS, budget_ms, core_ms
from inference.results import CorruptImage, ImageTooLarge
from tests.inference import av1
from tests.inference.heif import HeifItem, coded_item, grid_item, heif, ispe, overlay_item
from tests.inference.hostile import box, encoded, jpeg_of_scans, png, tiff

LIMITS = Limits()
LARGE = (1984, 1984)
TURN = box(b"irot", b"\1")


@pytest.fixture(scope="module")
def tile() -> HeifItem:
    return coded_item(Image.new("RGB", LARGE, "teal"))


def test_every_tile_of_a_grid_counts_also_when_all_are_the_same(tile: HeifItem) -> None:
    with pytest.raises(ImageTooLarge, match=r"3,5\d\d,\d{3},\d{3} pixels with all scans and tiles"):
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


def test_a_tile_is_read_as_often_as_it_is_shown() -> None:
    """A noisy tile of 173 kB, shown 169 times, took 4 s while the file was expected to take 1.3."""
    noise = Image.merge("RGB", [Image.effect_noise((512, 512), 120) for _ in range(3)])
    one = coded_item(noise, quality=90)
    grid = grid_item(10, 10, (5120, 5120), (1,) * 100)
    with pytest.raises(ImageTooLarge, match=f" {100 * len(one.content):,} bytes"):
        header(heif(one, grid, primary=2), limits=LIMITS)
    assert header(heif(one, replace(grid, made_of=(1,)), primary=2), limits=LIMITS).core_ms < 1500


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


def test_a_frame_of_av1_may_state_a_larger_size_than_its_sequence() -> None:
    """Twenty frames of 16,000 x 16,000 in an AVIF of 64 x 64 and 579 kB took 4.6 s and 1.1 GB."""
    hidden = av1.sequence(64, 64) + av1.frame(16_000, 16_000) * 20
    with pytest.raises(ImageTooLarge, match="ms of a core"):
        header(av1.avif_of(hidden, 64, 64), limits=LIMITS)
    honest = av1.sequence(640, 480) + av1.frame(640, 480, states_its_size=False)
    data = av1.avif_of(honest, 640, 480)
    assert header(data, limits=LIMITS).decoded == 640 * 480
    assert decode(data, input_size=224, views="auto", limits=LIMITS).size == (640, 480)


@pytest.mark.parametrize("kind", [b"iloc", b"idat"])
def test_where_things_are_is_said_once(tile: HeifItem, kind: bytes) -> None:
    whole = heif(tile, primary=1)
    start = whole.index(b"meta") - 4
    at = whole.index(kind, start) - 4
    again = whole[at : at + int.from_bytes(whole[at : at + 4], "big")]
    longer = int.from_bytes(whole[start : start + 4], "big") + len(again)
    twice = whole[:start] + longer.to_bytes(4, "big") + whole[start + 4 : at] + again + whole[at:]
    with pytest.raises(CorruptImage, match=f"two boxes of the kind {kind.decode()}"):
        header(twice, limits=LIMITS)


def test_full_colours_of_a_heic_cost_twice_as_much() -> None:
    plain, full = (
        header(encoded(Image.new("RGB", LARGE), "HEIF", chroma=chroma), limits=LIMITS).decoded
        for chroma in ("420", "444")
    )
    assert full == 2 * plain


def test_slices_are_counted(tile: HeifItem) -> None:
    flood = replace(tile, content=tile.content + b"\0\0\0\3\2\1\0" * 6_000)
    with pytest.raises(CorruptImage, match="more than 5,000 slices"):
        header(heif(flood, primary=1), limits=LIMITS)


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


def test_deep_colours_and_alpha_of_a_png_cost_more() -> None:
    kinds = [(0, 8), (6, 8), (2, 16), (6, 16)]
    costs = [
        header(png(3000, 3000, colour=colour, depth=depth), limits=LIMITS).core_ms for colour, depth in kinds
    ]
    assert costs == sorted(costs)
    assert costs[-1] > 2 * costs[0]


def test_strips_that_are_not_compressed_cost_something_each() -> None:
    """Pillow makes a decoder for each: 49,999 pixels in 200,000 strips took a second."""
    strips = tiff({256: (4, 1, 1), 257: (4, 1, 49_999), 273: (4, 199_996, 8), 279: (4, 199_996, 8)})
    assert header(strips, limits=LIMITS).core_ms > 1000


def jpeg_tiff(jpeg: bytes, strips: int) -> bytes:
    """A TIFF of 700 x 700 pixels whose strips are all this JPEG."""
    entries = {
        256: (4, 1, 700),
        257: (4, 1, 700),
        259: (3, 1, 7),
        273: (4, strips, 0),
        279: (4, strips, 0),
    }
    start = len(tiff(entries))
    places = start + 8 * strips
    if strips == 1:
        entries |= {273: (4, 1, places), 279: (4, 1, len(jpeg))}
    else:
        entries |= {273: (4, strips, start), 279: (4, strips, start + 4 * strips)}
    numbers = struct.pack(f"<{2 * strips}I", *[places] * strips, *[len(jpeg)] * strips)
    return tiff(entries, tail=numbers + jpeg)


def test_scans_within_a_tiff_are_counted() -> None:
    """A TIFF of one JPEG of 98 scans took 3.8 s, and was expected to take 1.6."""
    assert header(jpeg_tiff(jpeg_of_scans(700, 700, 10), 1), limits=LIMITS).coding == "TIFF of JPEGs"
    with pytest.raises(CorruptImage, match="a JPEG of 60 scans"):
        header(jpeg_tiff(jpeg_of_scans(700, 700, 60), 1), limits=LIMITS)


def test_the_strips_of_a_tiff_do_not_share_a_jpeg() -> None:
    with pytest.raises(CorruptImage, match="larger than the file"):
        header(jpeg_tiff(jpeg_of_scans(700, 70, 10), 10), limits=LIMITS)


def test_groups_of_codes_of_a_lossless_webp_count() -> None:
    """60,000 groups in 275 kB took 1.1 s and 331 MB for 1,000 x 1,000 pixels, expected to take 43 ms."""
    noise = encoded(Image.effect_noise((1000, 1000), 200), "WEBP", lossless=True)
    found = header(noise, limits=LIMITS)
    assert found.core_ms > 1000
    assert found.large
    small = header(encoded(Image.effect_noise((100, 100), 200), "WEBP", lossless=True), limits=LIMITS)
    assert small.core_ms < 30
    assert not small.large


def test_a_picture_that_is_larger_than_its_header_said_is_not_decoded() -> None:
    data = encoded(Image.new("RGB", (640, 480)), "PNG")
    with pytest.raises(CorruptImage, match="its header says otherwise"):
        decode(
            data,
            input_size=224,
            views="auto",
            limits=LIMITS,
            found=ImageHeader("PNG", (64, 64), 1, large=False),
        )


def test_two_headers_of_a_png_are_one_too_many() -> None:
    whole = png(64, 64)
    with pytest.raises(CorruptImage, match="two headers"):
        header(whole[:33] + whole[8:33] + whole[33:], limits=LIMITS)


def test_an_animation_of_costly_frames_is_looked_at_by_its_first_one() -> None:
    frames = [Image.effect_noise((600, 600), 200).convert("RGB") for _ in range(20)]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    found = header(data, limits=LIMITS)
    assert (found.frames, found.decoded_frames) == (20, 1)


def test_the_budget_follows_the_pixels_that_the_owner_allows(tile: HeifItem) -> None:
    grid = heif(tile, grid_item(5, 5, (64, 64), (1,) * 25), primary=2)
    assert header(grid, limits=LIMITS).core_ms < budget_ms(LIMITS)
    with pytest.raises(ImageTooLarge, match="ms of a core"):
        header(grid, limits=Limits(image_pixels=5_000_000))


@pytest.mark.parametrize("coding", sorted(COSTS.keys() - {"BMP run lengths", "PNG of 64 bits"}))
def test_a_plain_picture_at_the_limits_is_within_the_budget(coding: str) -> None:
    """Run lengths have a limit of their own, and no photograph of 64 bits a pixel fits into so few bytes."""
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
