"""Every image that is posted is answered, refused or in hand; and more machines never make it worse."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.capacity.figures import load_figures
from bot.capacity.plan import speed_curve
from bot.capacity.simulation import SimulatedBot, Simulation, SimulationResult
from bot.capacity.traffic import Traffic
from config.settings import Queue, Settings
from tests.bot.capacity.images import cores, image

FIGURES, _ = load_figures()


def run(
    *, rate: float, machines: int, processes: int = 1, seconds: float = 60, seed: int = 1, **options: float
) -> SimulationResult:
    traffic = Traffic(FIGURES, servers=5000, images_per_second=rate, seed=seed)
    bot = SimulatedBot(
        processes=processes,
        machines=machines,
        curve=speed_curve(FIGURES, 2),
        **options,  # type: ignore[arg-type]
    )
    return Simulation(bot, seconds=seconds, warm_up=5).run(traffic.images(seconds + 5))


@settings(max_examples=25, deadline=None)
@given(
    rate=st.floats(1, 150),
    machines=st.integers(1, 4),
    processes=st.integers(1, 5),
    seed=st.integers(0, 1000),
    limit=st.sampled_from([math.inf, 50.0, 5.0]),
)
def test_whatever_is_posted_is_answered_refused_or_in_hand(
    rate: float, machines: int, processes: int, seed: int, limit: float
) -> None:
    result = run(
        rate=rate, machines=machines, processes=processes, seed=seed, rest_calls_a_second=limit, seconds=30
    )
    assert result.posted == result.answered + result.refused.total() + result.in_hand
    assert len(result.latencies) == result.answered
    assert 0 <= result.in_hand <= result.posted
    assert sum(result.windows) == result.posted
    assert result.refused.keys() <= {"busy", "timed_out", "late"}


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_when_all_is_done_nothing_is_in_hand(seed: int) -> None:
    traffic = Traffic(FIGURES, servers=5000, images_per_second=30, seed=seed)
    bot = SimulatedBot(processes=3, machines=1, curve=speed_curve(FIGURES, 2))
    result = Simulation(bot, seconds=120).run(traffic.images(20))
    assert result.in_hand == 0
    assert result.posted == result.answered + result.refused.total()


def test_the_same_seed_gives_the_same_result() -> None:
    assert run(rate=40, machines=2, seed=7) == run(rate=40, machines=2, seed=7)
    assert run(rate=40, machines=2, seed=7) != run(rate=40, machines=2, seed=8)


@pytest.mark.parametrize("seed", range(3))
def test_more_machines_are_never_worse(seed: int) -> None:
    results = [run(rate=90, machines=machines, seconds=120, seed=seed) for machines in (1, 2, 3, 4, 8)]
    refused = [result.refused.total() for result in results]
    assert refused == sorted(refused, reverse=True)
    p95s = [result.quantile(0.95) for result in results]
    for fewer, more in pairwise(p95s):
        assert more <= 1.1 * fewer
    assert results[0].refused["busy"]  # one machine is too few
    assert results[0].core_seconds == pytest.approx(
        results[0].seconds * speed_curve(FIGURES, 2).highest, rel=0.02
    )


def test_a_process_takes_no_more_images_than_it_may_and_no_server_more_than_its_share() -> None:
    slow = cores(1)
    queue = Queue(images=5, images_per_guild=3)
    bot = SimulatedBot(processes=1, machines=1, curve=slow, settings=Settings(queue=queue))
    images = [
        image(1.0, server=server, content=10 * server + n, core_seconds=1)
        for server in (1, 2, 3)
        for n in range(5)
    ]
    result = Simulation(bot, seconds=30).run(images)
    assert result.refused == {"busy": 10}
    assert result.answered == 5
    assert result.most_in_hand == 5


def test_a_repost_costs_nothing_while_its_verdict_is_remembered() -> None:
    images = [image(1.0 + n, content=n % 2) for n in range(8)]
    bot = SimulatedBot(processes=1, machines=1, curve=cores(1), known=0.001)
    result = Simulation(bot, seconds=30).run(images)
    assert result.known == 6
    assert result.core_seconds == pytest.approx(2 * 0.05)
    forgetful = Settings(queue=Queue(verdicts=1))
    bot = SimulatedBot(processes=1, machines=1, curve=cores(1), settings=forgetful)
    images = [image(1.0 + n, content=n % 2) for n in range(8)]
    assert Simulation(bot, seconds=30).run(images).known == 0


def test_the_same_image_twice_at_once_is_looked_at_once() -> None:
    bot = SimulatedBot(processes=1, machines=1, curve=cores(1))
    result = Simulation(bot, seconds=30).run([image(1.0), image(1.01, server=2)])
    assert result.answered == 2
    assert result.core_seconds == pytest.approx(0.05)


def test_answers_go_no_faster_than_discord_allows_and_what_is_late_is_not_sent() -> None:
    images = [image(1.0, server=n, content=n, core_seconds=1e-6) for n in range(200)]
    bot = SimulatedBot(processes=1, machines=1, curve=cores(1), rest_calls_a_second=2.0)
    result = Simulation(bot, seconds=300).run(images)
    assert result.quantile(1.0) == pytest.approx(60, abs=1)  # watch.late_after
    assert result.answered == 121
    assert result.refused == {"late": 79}


def test_a_message_is_answered_when_its_last_image_is_named() -> None:
    first, second = image(1.0, core_seconds=0.1), image(1.0, content=1, core_seconds=0.1)
    second.message = first.message
    first.message.open = 2
    bot = SimulatedBot(processes=1, machines=1, curve=cores(1), rest_calls_a_second=1.0)
    result = Simulation(bot, seconds=30).run([first, second])
    assert result.latencies == [pytest.approx(0.2)] * 2
    assert result.messages == 1
