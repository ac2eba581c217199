"""The address of a smaller copy."""

from __future__ import annotations

import pytest
from yarl import URL

from bot.download.reduced_copy import smaller

ADDRESS = URL("https://cdn.discordapp.com/attachments/1/2/a%20cat.JPG?ex=66&is=65&hm=ab")


def test_it_is_on_the_media_proxy_and_keeps_the_signature() -> None:
    copy = smaller(ADDRESS, (4000, 3000), 224)
    assert copy is not None
    assert str(copy.with_query(None)) == "https://media.discordapp.net/attachments/1/2/a%20cat.JPG"
    assert dict(copy.query) == {"ex": "66", "is": "65", "hm": "ab", "width": "427", "height": "320"}


@pytest.mark.parametrize("input_size", [128, 224, 299])
@pytest.mark.parametrize("dimensions", [(4000, 3000), (3000, 4000), (1000, 20_000), (5001, 3333)])
def test_every_view_of_it_is_at_least_the_models_size(dimensions: tuple[int, int], input_size: int) -> None:
    copy = smaller(ADDRESS, dimensions, input_size)
    assert copy is not None
    width, height = int(copy.query["width"]), int(copy.query["height"])
    assert min(width, height) * 7 / 8 >= input_size
    assert width / height == pytest.approx(dimensions[0] / dimensions[1], rel=0.01)


def test_a_small_image_is_not_worth_it() -> None:
    assert smaller(ADDRESS, (639, 4000), 224) is None
    assert smaller(ADDRESS, (640, 4000), 224) is not None


@pytest.mark.parametrize("name", ["dance.gif", "dance.webp", "photo.heic", "scan.tiff", "unnamed"])
def test_what_may_move_or_is_unknown_to_the_proxy_stays(name: str) -> None:
    assert smaller(ADDRESS.with_name(name), (4000, 3000), 224) is None


@pytest.mark.parametrize("host", ["images-ext-1.discordapp.net", "example.com"])
def test_other_hosts_do_not_resize(host: str) -> None:
    assert smaller(ADDRESS.with_host(host), (4000, 3000), 224) is None
