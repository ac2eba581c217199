"""A simulated machine waits as long as queueing theory says."""

from __future__ import annotations

from math import factorial
from statistics import mean

import pytest

from bot.capacity.machine import SpeedCurve
from bot.capacity.simulation import SimulatedBot, Simulation, SimulationResult
from config.settings import Queue, Settings
from tests.bot.capacity.images import cores, image, poisson

ROOMY = Settings(queue=Queue(images=100_000, images_per_guild=100_000, timeout=1e6, verdicts=0))


def simulated(
    curve: SpeedCurve, rate: float, work: float, *, exponential: bool, seed: int
) -> SimulationResult:
    seconds = 60_000 / rate
    bot = SimulatedBot(processes=1, machines=1, curve=curve, settings=ROOMY)
    images = poisson(rate, seconds, mean=work, exponential=exponential, seed=seed)
    return Simulation(bot, seconds=0.95 * seconds, warm_up=0.05 * seconds).run(images)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (2, 0.7), (4, 0.8)])
def test_random_work_on_ideal_cores_takes_what_erlang_c_says(servers: int, load: float) -> None:
    """M/M/c: Kleinrock, "Queueing Systems, Volume 1", 1975, section 3.5.

    The mean time in the queue does not hang on the order in which equal work is done.
    """
    work = 0.1
    rate = load * servers / work
    offered = rate * work
    waits = offered**servers / factorial(servers) / (1 - load)
    waits /= sum(offered**n / factorial(n) for n in range(servers)) + waits
    expected = work + waits / (servers / work - rate)
    result = simulated(cores(servers), rate, work, exponential=True, seed=3)
    assert mean(result.looks) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_equal_work_that_shares_one_core_takes_what_kleinrock_says(load: float) -> None:
    """M/G/1 with processor sharing: S / (1 - load), whatever the distribution of the work.

    Kleinrock, "Time-shared Systems: A Theoretical Treatment", Journal of the ACM 14 (2), 1967.
    """
    work = 0.1
    result = simulated(cores(1, of=64), load / work, work, exponential=False, seed=4)
    assert mean(result.looks) == pytest.approx(work / (1 - load), rel=0.05)


def test_all_work_that_is_given_is_done() -> None:
    result = simulated(cores(2), 10, 0.1, exponential=False, seed=5)
    assert result.core_seconds == pytest.approx(result.posted * 0.1, rel=0.01)
    assert result.core_seconds / result.seconds == pytest.approx(1.0, rel=0.02)


def test_an_image_alone_takes_its_work_at_the_speed_of_one() -> None:
    curve = SpeedCurve([(1, 0.6), (8, 1.0)], highest=2, measured_cores=2, cores=2)
    bot = SimulatedBot(processes=1, machines=1, curve=curve)
    result = Simulation(bot, seconds=10).run([image(1.0, core_seconds=0.3)])
    assert result.looks == [pytest.approx(0.3 / 1.2)]


def test_a_machine_of_more_cores_is_faster_in_proportion() -> None:
    small = SpeedCurve([(1, 0.6), (8, 1.0)], highest=2, measured_cores=2, cores=2)
    large = SpeedCurve([(1, 0.6), (8, 1.0)], highest=2, measured_cores=2, cores=8)
    assert large.highest == 8
    assert large(1) == pytest.approx(small(1))  # one image cannot use more of it
    assert large(large.places) == pytest.approx(4 * small(small.places))


def test_a_server_that_floods_does_not_make_another_wait() -> None:
    flood = [image(1.0, server=1, content=n, core_seconds=0.1) for n in range(60)]
    result = Simulation(SimulatedBot(processes=1, machines=1, curve=cores(1)), seconds=60).run(
        [*flood, image(1.5, server=2, content=100, core_seconds=0.1)]
    )
    ordered = sorted(result.looks)
    assert ordered[-1] == pytest.approx(6.1, rel=0.05)
    other = Simulation(SimulatedBot(processes=1, machines=1, curve=cores(1)), seconds=60).run(
        [image(1.0, server=1, content=n, core_seconds=0.1) for n in range(60)]
    )
    new = [seconds for seconds in result.looks if seconds not in other.looks]
    assert min(new) < 2
