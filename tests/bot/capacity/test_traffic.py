"""Traffic has the shape that it is said to have."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.capacity.figures import load_figures
from bot.capacity.traffic import PowerLaw, ServerRanks, Traffic, hour_factor

FIGURES, _ = load_figures()


def test_the_same_seed_gives_the_same_images_and_another_one_others() -> None:
    one, same, other = (
        list(Traffic(FIGURES, servers=1000, images_per_second=5, seed=seed).images(100)) for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_images_come_in_order_as_often_as_asked_and_some_again() -> None:
    images = list(Traffic(FIGURES, servers=100_000, images_per_second=20, seed=1).images(4000))
    assert [image.at for image in images] == sorted(image.at for image in images)
    assert len(images) / 4000 == pytest.approx(20, rel=0.05)
    reposts = len(images) - len({image.content for image in images})
    assert reposts / len(images) == pytest.approx(FIGURES.repost_share, rel=0.1)
    work = sum(image.core_seconds for image in images) / len(images)
    assert work == pytest.approx(FIGURES.core_seconds_an_image, rel=0.05)


def test_messages_come_in_bursts_with_several_images() -> None:
    images = list(Traffic(FIGURES, servers=10**6, images_per_second=5, seed=1).images(2000))
    per_message = Counter(id(image.message) for image in images)
    assert 1.1 < sum(per_message.values()) / len(per_message) < 2
    assert max(per_message.values()) > 5
    windows = Counter(int(image.at / 10) for image in images)
    mean = len(images) / 200
    variance = sum((windows[n] - mean) ** 2 for n in range(200)) / 199
    assert variance / mean > 2  # a Poisson process has 1


def test_the_largest_servers_post_what_zipf_says() -> None:
    images = list(Traffic(FIGURES, servers=1000, images_per_second=50, seed=1).images(2000))
    counts = Counter(image.server for image in images)
    weights = [rank**-FIGURES.zipf_exponent for rank in range(1, 1001)]
    for rank in (1, 2, 10):
        expected = weights[rank - 1] / sum(weights)
        assert counts[rank] / len(images) == pytest.approx(expected, rel=0.25)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.1, 2.5), st.integers(1, 10**7), st.integers(0, 10**6))
def test_every_server_that_is_drawn_exists(exponent: float, servers: int, seed: int) -> None:
    ranks, dice = ServerRanks(exponent, servers), Random(seed)  # noqa: S311
    assert all(1 <= ranks.draw(dice) <= servers for _ in range(50))
    assert 0 < ranks.largest_share <= 1


def test_the_integral_over_many_servers_is_as_good_as_the_sum() -> None:
    for exponent in (0.8, 1.0, 1.3):
        exact = sum(rank**-exponent for rank in range(1, 50_001))
        assert ServerRanks(exponent, 50_000).largest_share == pytest.approx(1 / exact, rel=1e-5)


def test_the_share_of_the_largest_server_can_be_another() -> None:
    assert ServerRanks(0.8, 1000, largest_share=0.25).largest_share == pytest.approx(0.25)


def test_numbers_of_a_power_law_have_the_mean_that_it_says() -> None:
    law, dice = PowerLaw(2.5, 100), Random(1)  # noqa: S311
    drawn = [law.draw(dice) for _ in range(100_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(law.mean, rel=0.03)
    assert min(drawn) == 1
    assert max(drawn) <= 100


def test_the_hours_of_a_day_have_their_top_in_the_evening_and_the_mean_1() -> None:
    factors = [hour_factor(hour, FIGURES) for hour in range(24)]
    assert sum(factors) / 24 == pytest.approx(1)
    assert max(factors) == factors[20] == pytest.approx(FIGURES.peak_factor)
    assert min(factors) >= 0


def test_with_a_lead_bursts_are_under_way_at_the_beginning() -> None:
    def first_seconds(lead: float) -> int:
        traffic = Traffic(FIGURES, servers=1000, images_per_second=50, seed=1)
        images = list(traffic.images(10, lead=lead))
        assert all(0 <= image.at < 10 for image in images)
        return len(images)

    assert first_seconds(300) > 1.2 * first_seconds(0)
