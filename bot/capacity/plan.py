"""From a number of servers to processes, machines, cost and latency in the busiest hour.

A simulation of all machines of a large bot would take hours, so a slice of it is simulated: m of M
machines, with m/M of the processes and of Discord's limit, and with traffic thinned to m/M. The rules from
the slice to the whole:

- Whatever is counted by image (work, bytes, calls, writes) goes with M/m, exactly, since the traffic is a
  Poisson process of bursts and bursts are kept whole (`bot.capacity.traffic`).
- Latencies are taken as they are. A slice can only be worse: more machines find a free one more easily.
  With the choice of the better of two machines the difference is small from a few machines on
  (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
- The peak of ten seconds goes with the rate r and its square root, `r + 3.1 * sqrt(r * unevenness / 10 s)`:
  the variance of independent bursts adds up, not their peaks. Only the unevenness comes from the slice.
- The largest server is in the slice with all of its traffic, since its bursts cannot be divided.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from bot.capacity.demands import Demand, ExpectedLoad
from bot.capacity.figures import CapacityFigures
from bot.capacity.machine import SpeedCurve
from bot.capacity.simulation import SimulatedBot, Simulation, SimulationResult
from bot.capacity.traffic import Traffic, hour_factor
from config.settings import Settings

SIMULATED_IMAGES = 50_000
"""Images of one simulation, which takes 3 seconds."""
LONGEST, SHORTEST = 3600.0, 120.0
"""Simulated seconds: at most the busiest hour."""
WARM_UP = 30.0
FEWEST_MACHINES = 4
"""Of a slice."""
MOST_LOAD = 0.85
"""Of the machines, with which the search for their number begins."""
MOST_MEMORY = 0.5
"""Of one machine that does everything, what the bot processes may take."""
MOST_REFUSED = 0.001
"""Share of the images that may be refused."""
TRIES = 8
MORE = 1.08
LARGEST_IN_SLICE = 0.5


@dataclass(frozen=True, kw_only=True)
class CapacityQuestion:
    """What the owner asks: `price` is that of an hour of a machine of `cores` cores.

    `replicas` is how many machines look at images; None finds the fewest with which 95 of 100 images are
    looked at within `goal` seconds and hardly any is refused."""

    servers: int
    images_a_day: float
    cores: int
    price: float
    replicas: int | None = None
    goal: float = 1.0
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class CapacityPlan:
    """The answer. `simulated` is the share of the machines that was simulated; times are seconds.

    `p95` is from posted to answered once every remedy is in place, and `p95_looks` the part from downloaded
    to named. `bot_machines` and `databases` are 0 where one machine does everything. `answered_as_it_is` is
    the share of the images that would be answered under the limits as they are."""

    question: CapacityQuestion
    processes: int
    replicas: int
    bot_machines: int
    databases: int
    machines: int
    images_a_day: float
    images_a_second: float
    busiest_images_a_second: float
    load: float
    p50: float
    p95: float
    p95_looks: float
    refused: float
    reached: bool
    answered_as_it_is: float
    p95_as_it_is: float
    start_minutes: float
    cost_a_day: float
    cost_a_million: float
    cost_a_million_by_the_hour: float
    simulated: float
    simulated_images: int
    demands: list[Demand]


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A part of the bot: machines, processes, images a second and the largest server's share of them."""

    machines: int
    processes: int
    images_a_second: float
    largest_share: float
    seconds: float


def plan(question: CapacityQuestion, figures: CapacityFigures, settings: Settings) -> CapacityPlan:
    """Simulate the busiest hour, and return what it needs."""
    load = ExpectedLoad(
        figures=figures, limits=settings.limits, images_a_day=question.images_a_day, cores=question.cores
    )
    curve = speed_curve(figures, question.cores)
    rate, processes = load.images_a_second(question.servers), load.shards(question.servers)
    replicas = question.replicas or math.ceil(
        rate * figures.core_seconds_an_image / (curve.highest * MOST_LOAD)
    )
    for left in reversed(range(1 if question.replicas else TRIES)):
        part = slice_of(load, question.servers, replicas)
        result = _simulate(question, figures, settings, part, curve)
        p95 = result.quantile(0.95, result.looks)
        reached = p95 <= question.goal and result.refused_share <= MOST_REFUSED
        if reached or not left:
            break
        replicas = max(math.ceil(replicas * MORE), replicas + 1)
    share = part.machines / replicas
    as_it_is = _simulate(
        question, figures, settings, part, curve, calls=figures.rest_calls_a_second * min(share, 1.0)
    )
    load = replace(load, unevenness=result.unevenness)
    busy = result.core_seconds / result.seconds / (part.machines * curve.highest)
    bots, databases = load.bot_machines(question.servers), 1
    if replicas == 1 and _fits_beside(load, question, busy):
        bots = databases = 0
    others = bots + databases
    images_a_day = question.servers * question.images_a_day
    by_the_hour = sum(
        math.ceil(replicas * hour_factor(hour, figures) / figures.peak_factor) + others for hour in range(24)
    )
    cost = 24 * question.price * (replicas + others)
    per_million = 1e6 / images_a_day
    return CapacityPlan(
        question=question,
        processes=processes,
        replicas=replicas,
        bot_machines=bots,
        databases=databases,
        machines=replicas + others,
        images_a_day=images_a_day,
        images_a_second=rate,
        busiest_images_a_second=load.busiest_images_a_second(question.servers),
        load=busy,
        p50=result.quantile(0.5),
        p95=result.quantile(0.95),
        p95_looks=p95,
        refused=result.refused_share,
        reached=reached,
        answered_as_it_is=1 - as_it_is.refused_share,
        p95_as_it_is=as_it_is.quantile(0.95),
        start_minutes=load.start_minutes(question.servers),
        cost_a_day=cost,
        cost_a_million=cost * per_million,
        cost_a_million_by_the_hour=by_the_hour * question.price * per_million,
        simulated=share,
        simulated_images=result.posted,
        demands=load.demands(question.servers),
    )


def _fits_beside(load: ExpectedLoad, question: CapacityQuestion, busy: float) -> bool:
    """Return whether bot processes and database find room on the one machine that looks at images."""
    cores = busy * question.cores + load.bot_cores(question.servers)
    return cores <= MOST_LOAD * question.cores and load.bot_memory_share(question.servers) <= MOST_MEMORY


def speed_curve(figures: CapacityFigures, cores: int) -> SpeedCurve:
    """Return how fast a machine of `cores` cores works, in proportion to the one that was measured."""
    return SpeedCurve(
        figures.speeds,
        highest=figures.full_images_per_second * figures.small_core_ms / 1000,
        measured_cores=figures.measured_cores,
        cores=cores,
    )


def slice_of(load: ExpectedLoad, servers: int, machines: int) -> Slice:
    """Return the part that is simulated of a bot of so many servers whose images `machines` look at."""
    rate, processes = load.images_a_second(servers), load.shards(servers)
    affordable = SIMULATED_IMAGES / SHORTEST
    part = min(machines, max(FEWEST_MACHINES, math.floor(machines * affordable / rate)))
    share = part / machines
    return Slice(
        machines=part,
        processes=max(round(processes * share), 1),
        images_a_second=rate * share,
        largest_share=min(load.largest_share(servers) / share, LARGEST_IN_SLICE),
        seconds=min(LONGEST, max(SIMULATED_IMAGES / (rate * share), WARM_UP)),
    )


def _simulate(
    question: CapacityQuestion,
    figures: CapacityFigures,
    settings: Settings,
    part: Slice,
    curve: SpeedCurve,
    *,
    calls: float = math.inf,
) -> SimulationResult:
    traffic = Traffic(
        figures,
        servers=question.servers,
        images_per_second=part.images_a_second,
        largest_share=part.largest_share,
        seed=question.seed,
    )
    bot = SimulatedBot(
        processes=part.processes,
        machines=part.machines,
        curve=curve,
        rest_calls_a_second=calls,
        calls_a_message=figures.rest_calls_a_message,
        download=figures.download_seconds,
        send=figures.send_seconds,
        known=figures.known_image_ms / 1000,
        settings=settings,
    )
    simulation = Simulation(bot, seconds=part.seconds, warm_up=WARM_UP, seed=question.seed)
    return simulation.run(traffic.images(part.seconds + WARM_UP))
