"""Where the crops are cut, and that taking short cuts to them does not show."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import skimage
from numpy.typing import NDArray
from PIL import Image

from config.settings import Limits
from inference.images.decode import DecodedImage, decode
from inference.images.headers.jpeg import scale
from inference.images.second_look import ends
from inference.images.views import centre
from tests.inference.hostile import encoded

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

SIZE = 224
PHOTOGRAPHS = [
    Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg",
    *(
        Path(skimage.__file__).parent / "data" / name
        for name in ("chelsea.png", "astronaut.png", "coffee.png", "rocket.jpg")
    ),
]


def look(data: bytes, views: Any = "auto", size: int = SIZE) -> DecodedImage:
    return decode(data, input_size=size, views=views, limits=Limits())


def map_of(width: int, height: int) -> Image.Image:
    """A picture that says where each of its pixels is: red grows to the right, green grows downwards."""
    x = np.linspace(0, 255, width)[None, :].repeat(height, 0)
    y = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return Image.fromarray(np.stack([x, y, np.zeros_like(x)], axis=-1).round().astype(np.uint8))


def where(crop: NDArray[np.uint8], width: int, height: int) -> tuple[float, float, float, float]:
    """The box of a `map_of` that `crop` shows, read off its pixels: left, top, right, bottom."""
    columns, rows = crop[:, :, 0].mean(axis=0) / 255 * width, crop[:, :, 1].mean(axis=1) / 255 * height
    step_x, step_y = (
        (columns[-20] - columns[20]) / (len(columns) - 40),
        (rows[-20] - rows[20]) / (len(rows) - 40),
    )
    left, top = columns[20] - 20.5 * step_x, rows[20] - 20.5 * step_y
    return left, top, left + step_x * len(columns), top + step_y * len(rows)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])  # a JPEG is scaled down while it is decoded
@pytest.mark.parametrize(
    ("width", "height"), [(1600, 900), (900, 1600), (3000, 2000), (1000, 1000), (640, 480)]
)
def test_the_first_look_is_the_centred_square_of_seven_eighths(form: str, width: int, height: int) -> None:
    data = encoded(map_of(width, height), form, **({"quality": 100} if form == "JPEG" else {}))
    found = where(look(data).first[0], width, height)
    side = min(width, height) * 7 / 8
    expected = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
    assert found == pytest.approx(expected, abs=max(width, height) / 100)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize(("width", "height"), [(1600, 900), (900, 1600), (2400, 1200)])
def test_the_second_look_is_the_square_at_each_end(form: str, width: int, height: int) -> None:
    data = encoded(map_of(width, height), form, **({"quality": 100} if form == "JPEG" else {}))
    first, last = (where(crop, width, height) for crop in look(data).second())
    side = min(width, height)
    assert first == pytest.approx((0, 0, side, side), abs=max(width, height) / 100)
    assert last == pytest.approx((width - side, height - side, width, height), abs=max(width, height) / 100)


def test_the_second_look_at_a_square_picture_is_all_of_it() -> None:
    second = look(encoded(map_of(800, 800), "PNG")).second()
    assert second.shape == (1, SIZE, SIZE, 3)
    assert where(second[0], 800, 800) == pytest.approx((0, 0, 800, 800), abs=8)


def test_the_tutorial_s_view_is_the_whole_picture_stretched() -> None:
    decoded = look(encoded(map_of(1600, 900), "PNG"), "tutorial")
    assert where(decoded.first[0], 1600, 900) == pytest.approx((0, 0, 1600, 900), abs=16)


@pytest.mark.parametrize("views", ["1", "tutorial"])
def test_one_look_has_no_second(views: str) -> None:
    assert look(encoded(map_of(160, 90), "PNG"), views).second().shape == (0, SIZE, SIZE, 3)


def test_the_boxes_are_exact() -> None:
    assert centre(100, 60) == (23.75, 3.75, 76.25, 56.25)
    assert ends(100, 60) == [(0, 0, 60, 60), (40, 0, 100, 60)]
    assert ends(60, 100) == [(0, 0, 60, 60), (0, 40, 60, 100)]
    assert ends(60, 60) == [(0, 0, 60, 60)]


@pytest.mark.parametrize(
    ("width", "height"), [(10_000, 1), (1, 10_000), (1, 1), (2, 3), (65_000, 7), (3, 16_000)]
)
@pytest.mark.parametrize("views", ["auto", "1", "tutorial"])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_any_shape_of_picture_works(form: str, views: str, width: int, height: int) -> None:
    decoded = look(encoded(Image.new("RGB", (width, height), (200, 30, 40)), form), views)
    assert decoded.size == (width, height)
    for crop in [*decoded.first, *decoded.second()]:
        assert np.abs(crop.astype(int) - (200, 30, 40)).max() <= 3


def test_no_view_of_a_scaled_jpeg_is_enlarged() -> None:
    for size in (128, 160, 192, 224, 260, 300):
        for short in range(1, 3000):
            factor = scale(short, short * 2, size)
            assert factor == 1 or short / factor * 7 / 8 >= 2 * size
            assert factor == 8 or short / (factor * 2) * 7 / 8 < 2 * size


def photographs() -> Iterator[Image.Image]:
    for path in PHOTOGRAPHS:
        with Image.open(path) as picture:
            plain = picture.convert("RGB")
            plain.info.clear()  # a colour profile would be written along
            yield plain


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("megapixels", [0.5, 1, 2.1])
def test_short_cuts_do_not_show(form: str, megapixels: float) -> None:
    """Scaled decoding and shrinking in two steps, against a full decode and one antialiased step."""
    for photograph in photographs():
        enlarge = (megapixels * 1e6 / (photograph.width * photograph.height)) ** 0.5
        size = (round(photograph.width * enlarge), round(photograph.height * enlarge))
        large = photograph.resize(size, Image.Resampling.LANCZOS)
        data = encoded(large, form, **({"compress_level": 1} if form == "PNG" else {}))
        with Image.open(BytesIO(data)) as full:
            exact = full.resize((SIZE, SIZE), Image.Resampling.HAMMING, box=centre(*size))
        difference = np.abs(look(data).first[0].astype(int) - np.asarray(exact).astype(int))
        # A crop that is half a pixel off in the scaled picture differs by 2 to 3 on average.
        assert difference.mean() < 0.6
